"""System checks of the site's hosts, origins and static files."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.http.request import validate_host

from notifications.rules.servers import bracketed, web_address
from notifications.runtime.roles import Role

_HOST = re.compile(r"\*|\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.?|\[[0-9A-Fa-f:.]+\]")
SERVING = {Role.WEB, Role.MANAGE}


def hosts(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    yield from [*_allowed_hosts()] or _site_host()


def _allowed_hosts() -> Iterable[CheckMessage]:
    wrong = [host for host in settings.ALLOWED_HOSTS if not _HOST.fullmatch(host)]
    if wrong or not (settings.ALLOWED_HOSTS or settings.DEBUG):
        hint = "Name only hosts, like mail.example.com, without scheme, port or path. Separate them with commas."
        yield Error("ALLOWED_HOSTS is empty or has a name that is not a host.", hint=hint, id="mailroom.E046")


def _site_host() -> Iterable[CheckMessage]:
    # Links in emails lead to SITE_URL. Only web processes and commands know the allowed hosts.
    site = web_address(settings.SITE_URL)
    if site is None or settings.MAILROOM_ROLE not in SERVING or settings.MAILROOM_LOCAL or settings.DEBUG:
        return
    host = bracketed((site.hostname or "").encode("idna").decode()).rstrip(".")
    if not validate_host(host, settings.ALLOWED_HOSTS):
        hint = "Add the host of SITE_URL to ALLOWED_HOSTS."
        yield Error("The host of SITE_URL is not in ALLOWED_HOSTS.", hint=hint, id="mailroom.E051")


def static_files(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    # Without the manifest, each page that links a style sheet fails.
    manifest = Path(settings.STATIC_ROOT, "staticfiles.json")
    if (
        settings.MAILROOM_ROLE == Role.WEB
        and not (settings.MAILROOM_LOCAL or settings.DEBUG)
        and not manifest.is_file()
    ):
        hint = "Run manage.py collectstatic, or set STATIC_ROOT to the folder that it has written."
        yield Error("STATIC_ROOT has no static files: every page would fail.", hint=hint, id="mailroom.E052")


def origins(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        parts = web_address(origin.replace("://*.", "://"))
        if parts is None or parts.path or "?" in origin or "#" in origin:
            hint = "Name origins like https://shop.example.com or https://*.example.com, separated by commas."
            yield Error("CSRF_TRUSTED_ORIGINS has an entry that is not an origin.", hint=hint, id="mailroom.E053")
