"""System checks of the site's connections: TLS, and certificates that are verified."""

import ssl
from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name for it

from notifications.rules.servers import crosses_networks

YEAR_S = 31_536_000
# The only modes of libpq that verify the server's certificate.
VERIFYING = {"verify-ca", "verify-full"}


def database_tls(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    database = settings.DATABASES["default"]
    mode = database.get("OPTIONS", {}).get("sslmode", "")
    hosts = [host for host in str(database.get("HOST", "")).split(",") if crosses_networks(host)]
    if mode not in VERIFYING and (hosts or mode == "require"):
        hint = "Set POSTGRES_CA_FILE, or sslmode=verify-full with sslrootcert in DATABASE_URL."
        yield Warning("The connection to PostgreSQL accepts any certificate.", hint=hint, id="mailroom.W005")


def database_authority(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    # Load the file as each connection would.
    file = settings.DATABASES["default"].get("OPTIONS", {}).get("sslrootcert", "")
    if file in {"", "system"}:
        return
    try:
        ssl.create_default_context(cafile=file)
    except (OSError, ValueError):
        hint = "Name a readable PEM file with the certificates of trusted authorities, or unset it."
        yield Error("POSTGRES_CA_FILE cannot be read as certificates.", hint=hint, id="mailroom.E077")


def rate_limits_redis(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    if settings.LIMITS_REDIS_URL == settings.REDIS_URL:
        hint = "Unset LIMITS_REDIS_URL, or name another database in it."
        yield Warning("Rate limits are counted in the broker's database.", hint=hint, id="mailroom.W011")


def strict_transport(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    short = settings.SECURE_HSTS_SECONDS < YEAR_S
    if settings.SECURE_HSTS_PRELOAD and (short or not settings.SECURE_HSTS_INCLUDE_SUBDOMAINS):
        hint = f"Set HSTS_INCLUDE_SUBDOMAINS=1 and HSTS_SECONDS to at least {YEAR_S}, or unset HSTS_PRELOAD."
        yield Error("HSTS_PRELOAD is on, but browsers would not accept it.", hint=hint, id="mailroom.E039")
