"""System checks of how email, credentials and data travel: over TLS, to servers that prove who they are."""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.request import getproxies_environment

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name for it

from notifications.rules.servers import (
    IMPLICIT_TLS,
    STARTTLS,
    BadUrlError,
    RedisServer,
    SmtpServer,
    is_loopback,
    web_address,
)

# The only modes of libpq in which another server cannot pass for PostgreSQL.
VERIFYING = {"verify-ca", "verify-full"}


def encryption(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    yield from _apis()
    yield from _proxies()
    yield from _redis()
    yield from _database()
    yield from _smtp()


def crosses_networks(host: str) -> bool:
    """Return whether a connection probably leaves the private network: a full name or a public address."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not is_loopback(host) and not host.endswith((".local", ".internal", ".localhost"))


def _apis() -> Iterable[CheckMessage]:
    for name in ("SENDGRID_API_URL", "POSTMARK_API_URL", "SES_ENDPOINT_URL", "SIMULATOR_URL", "FLOWER_URL"):
        if not (url := getattr(settings, name)):
            continue
        parts = web_address(url)
        if parts is None or "?" in url or "#" in url:
            yield Error(f"{name} is no web address.", hint="Set it to one like https://host/path.", id="mailroom.E041")
        elif parts.scheme == "http" and not is_loopback(parts.hostname or "") and name != "FLOWER_URL":
            hint = "Use https://; the key and every email would travel in the open."
            yield Error(f"{name} is not encrypted.", hint=hint, id="mailroom.E042")


def _proxies() -> Iterable[CheckMessage]:
    """The providers' APIs are called through what the environment names, as requests and botocore read it."""
    for scheme in ("http", "https", "all"):
        proxy = getproxies_environment().get(scheme, "")
        scheme_of_proxy, _, place = proxy.rpartition("://")
        login, _, place = place.rpartition("@")
        if proxy and (web_address(f"{scheme_of_proxy or 'http'}://{place}") is None or not login.isprintable()):
            name = f"{scheme.upper()}_PROXY"
            hint = f"Set {name} to one like http://proxy.example.com:3128, or unset it; in small letters it counts too."
            yield Error(f"{name} is no HTTP proxy.", hint=hint, id="mailroom.E054")


def _redis() -> Iterable[CheckMessage]:
    try:
        server = RedisServer.from_url(settings.REDIS_URL)
    except BadUrlError as error:
        hint = "Set REDIS_URL to redis://:password@host:port/0, or REDIS_HOST and REDIS_PASSWORD."
        yield Error(f"REDIS_URL {error}.", hint=hint, id="mailroom.E031")
        return
    if settings.LIMITS_REDIS_URL == settings.REDIS_URL:
        hint = "Unset LIMITS_REDIS_URL, or name another database in it."
        yield Warning("Rate limits are counted in the broker's own database.", hint=hint, id="mailroom.W011")
    if not server.tls and crosses_networks(server.host):
        hint = "Use rediss:// or REDIS_TLS=1, unless the network between is private."
        yield Warning("The connection to Redis is not encrypted.", hint=hint, id="mailroom.W004")


def _database() -> Iterable[CheckMessage]:
    database = settings.DATABASES["default"]
    mode = database.get("OPTIONS", {}).get("sslmode", "")
    hosts = [host for host in str(database.get("HOST", "")).split(",") if crosses_networks(host)]
    if mode not in VERIFYING and (hosts or mode == "require"):
        hint = "Set POSTGRES_CA_FILE, or sslmode=verify-full with sslrootcert in DATABASE_URL."
        yield Warning("The connection to PostgreSQL takes any certificate.", hint=hint, id="mailroom.W005")


def _smtp() -> Iterable[CheckMessage]:
    if not settings.SMTP_URL:
        return
    try:
        server = SmtpServer.from_url(settings.SMTP_URL)
    except BadUrlError as error:
        hint = "Set SMTP_URL to smtp+tls://user:password@host:587, or SMTP_HOST, SMTP_USER and SMTP_PASSWORD."
        yield Error(f"SMTP_URL {error}.", hint=hint, id="mailroom.E033")
        return
    if server.user and server.security not in {STARTTLS, IMPLICIT_TLS} and not is_loopback(server.host):
        hint = "Use smtp+tls:// or smtp+ssl://."
        yield Warning("The password of the SMTP server travels in the open.", hint=hint, id="mailroom.W006")
