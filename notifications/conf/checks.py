"""System checks of single settings, tried as the library that reads each does."""

import re
import ssl
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.request import getproxies_environment

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name for it
from django.utils.module_loading import import_string

from notifications import conf
from notifications.conf import settings
from notifications.conf.declarations import UserSettings
from notifications.rules.servers import (
    IMPLICIT_TLS,
    STARTTLS,
    BadUrlError,
    RedisServer,
    SmtpServer,
    crosses_networks,
    is_loopback,
    web_address,
)

# What an HTTP header may hold of a key: https://www.rfc-editor.org/rfc/rfc9110#name-field-values, without spaces.
_KEY = re.compile(r"[\x21-\x7e]*")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_CONFIGURATION_SET = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}")
LONGEST_NAME = 100


def types(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    for name, kind in conf.misfits():
        yield Error(f"{name} is not {kind}.", hint=f"Set {name} to {kind}, or remove it.", id="mailroom.E030")


def values(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    yield from _functions()
    yield from _keys()
    yield from _site_name()
    yield from _amazon()
    yield from _certificate()


def connections(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> Iterable[CheckMessage]:
    yield from _apis()
    yield from _proxies()
    yield from _redis()
    yield from _smtp()
    yield from _authorities()


def _functions() -> Iterable[CheckMessage]:
    for setting in conf.declared(UserSettings):
        path = getattr(settings, setting.name)
        try:
            usable = not path or callable(import_string(path))
        except ImportError:
            usable = False
        if not usable:
            hint = "Set it to the dotted path of a function, like shop.people.language, or remove it."
            yield Error(f"{setting.name} names no function.", hint=hint, id="mailroom.E055")


def _keys() -> Iterable[CheckMessage]:
    for name in ("SENDGRID_API_KEY", "POSTMARK_SERVER_TOKEN"):
        if not _KEY.fullmatch(getattr(settings, name)):
            hint = "Copy it again as the provider shows it, in one line and without quotes or spaces."
            yield Error(f"{name} holds what no key holds.", hint=hint, id="mailroom.E045")


def _site_name() -> Iterable[CheckMessage]:
    # It is part of subjects, where a line break ends every email.
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


def _certificate() -> Iterable[CheckMessage]:
    if settings.SNS_CERTIFICATE_FILE and not settings.MAILROOM_LOCAL:
        hint = "Unset it: only a local simulator signs with a certificate of its own."
        yield Warning("SNS_CERTIFICATE_FILE is ignored without MAILROOM_LOCAL.", hint=hint, id="mailroom.W003")


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
    # requests and botocore call the providers' APIs through the environment's proxies.
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
    if not server.tls and crosses_networks(server.host):
        hint = "Use rediss:// or REDIS_TLS=1, unless the network between is private."
        yield Warning("The connection to Redis is not encrypted.", hint=hint, id="mailroom.W004")


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


def _authorities() -> Iterable[CheckMessage]:
    # As each connection would.
    for name in ("REDIS_CA_FILE", "SMTP_CA_FILE"):
        if not (file := getattr(settings, name)):
            continue
        try:
            ssl.create_default_context(cafile=file)
        except (OSError, ValueError):
            hint = "Name a readable PEM file with the certificates of the authorities to trust, or unset it."
            yield Error(f"{name} cannot be read as certificates.", hint=hint, id="mailroom.E040")
