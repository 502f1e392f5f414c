"""System checks of single values, tried as the library that reads each would try it."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.http.request import validate_host

from config.environment import ROLE, Role
from notifications.rules.servers import bracketed, web_address

# What an HTTP header may hold of a key: https://www.rfc-editor.org/rfc/rfc9110#name-field-values, without spaces.
_KEY = re.compile(r"[\x21-\x7e]*")
_HOST = re.compile(r"\*|\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.?|\[[0-9A-Fa-f:.]+\]")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_CONFIGURATION_SET = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}")
LONGEST_NAME = 100
SERVING = {Role.WEB, Role.MANAGE}


def single_values(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    yield from _keys()
    yield from [*_hosts()] or _site_host()
    yield from _origins()
    yield from _static_files()
    yield from _site_name()
    yield from _amazon()


def _keys() -> Iterable[CheckMessage]:
    for name in ("SENDGRID_API_KEY", "POSTMARK_SERVER_TOKEN"):
        if not _KEY.fullmatch(getattr(settings, name)):
            hint = "Copy it again as the provider shows it, in one line and without quotes or spaces."
            yield Error(f"{name} holds what no key holds.", hint=hint, id="mailroom.E045")


def _hosts() -> Iterable[CheckMessage]:
    wrong = [host for host in settings.ALLOWED_HOSTS if not _HOST.fullmatch(host)]
    if wrong or not (settings.ALLOWED_HOSTS or settings.DEBUG):
        hint = "Name the hosts alone, like mail.example.com: no scheme, no port, no path; separate them by commas."
        yield Error("ALLOWED_HOSTS would let nobody in by some of its names.", hint=hint, id="mailroom.E046")


def _site_host() -> Iterable[CheckMessage]:
    """Links in email lead to SITE_URL. Only processes that serve people, and commands, know the hosts."""
    site = web_address(settings.SITE_URL)
    if site is None or ROLE not in SERVING or settings.MAILROOM_LOCAL or settings.DEBUG:
        return
    host = bracketed((site.hostname or "").encode("idna").decode()).rstrip(".")
    if not validate_host(host, settings.ALLOWED_HOSTS):
        hint = "Add the host of SITE_URL to ALLOWED_HOSTS."
        yield Error("SITE_URL is a host that the site does not answer to.", hint=hint, id="mailroom.E051")


def _static_files() -> Iterable[CheckMessage]:
    """Without the manifest each page that names a style sheet fails."""
    manifest = Path(settings.STATIC_ROOT, "staticfiles.json")
    if ROLE == Role.WEB and not (settings.MAILROOM_LOCAL or settings.DEBUG) and not manifest.is_file():
        hint = "Run manage.py collectstatic, or set STATIC_ROOT to the folder where it has written."
        yield Error("STATIC_ROOT has no static files: every page would fail.", hint=hint, id="mailroom.E052")


def _origins() -> Iterable[CheckMessage]:
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        parts = web_address(origin.replace("://*.", "://"))
        if parts is None or parts.path or "?" in origin or "#" in origin:
            hint = "Name origins like https://shop.example.com or https://*.example.com, separated by commas."
            yield Error("CSRF_TRUSTED_ORIGINS names what is no origin.", hint=hint, id="mailroom.E053")


def _site_name() -> Iterable[CheckMessage]:
    """It goes into subjects, where a line break ends every email."""
    name = settings.SITE_NAME
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        hint = f"Set it to one line of at most {LONGEST_NAME} printable characters."
        yield Error("SITE_NAME cannot stand in a subject.", hint=hint, id="mailroom.E047")


def _amazon() -> Iterable[CheckMessage]:
    if settings.SES_REGION and not _REGION.fullmatch(settings.SES_REGION):
        yield Error("SES_REGION is no region.", hint="Set it to one like eu-central-1.", id="mailroom.E048")
    if settings.SES_CONFIGURATION_SET and not _CONFIGURATION_SET.fullmatch(settings.SES_CONFIGURATION_SET):
        hint = "Copy its name as Amazon shows it: letters, digits, - and _."
        yield Error("SES_CONFIGURATION_SET is no name of one.", hint=hint, id="mailroom.E048")
    if not all(_TOPIC.fullmatch(topic) for topic in settings.SES_WEBHOOK_TOPICS):
        hint = "Copy the ARN of each topic, like arn:aws:sns:eu-central-1:123456789012:mailroom; separate by commas."
        yield Error("SES_WEBHOOK_TOPICS names what is no SNS topic.", hint=hint, id="mailroom.E049")
