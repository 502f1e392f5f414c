"""Check single values of settings, each as the library that reads it does."""

import re
import ssl
from collections.abc import Iterable
from typing import Any

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own name for it
from django.utils.module_loading import import_string

from notifications.rules.guard import canonical_recipient
from notifications.rules.retention import LEAST_DAYS
from notifications.rules.servers import BadUrlError, RedisServer, crosses_networks, is_loopback, web_address

# What an HTTP header may hold of a key: https://www.rfc-editor.org/rfc/rfc9110#name-field-values, without spaces.
_KEY = re.compile(r"[\x21-\x7e]*")
LONGEST_NAME = 100
SHORTEST_TOKEN = 20


def check_nothing(name: str, value: Any) -> Iterable[CheckMessage]:
    return ()


def check_days_kept(name: str, value: int) -> Iterable[CheckMessage]:
    if 0 < value < LEAST_DAYS:
        yield Error(
            f"{name} is too short: providers still report on these messages.",
            hint=f"Set it to at least {LEAST_DAYS}, or to 0 to delete nothing.",
            id="mailroom.E060",
        )


def check_api_key(name: str, value: str) -> Iterable[CheckMessage]:
    if not _KEY.fullmatch(value):
        hint = "Copy it again as the provider shows it, in one line and without quotes or spaces."
        yield Error(f"{name} contains characters that no key has.", hint=hint, id="mailroom.E045")


def check_page_address(name: str, value: str) -> Iterable[CheckMessage]:
    if value and (web_address(value) is None or "?" in value or "#" in value):
        yield Error(f"{name} is not a web address.", hint="Set it to one like https://host/path.", id="mailroom.E041")


def check_api_address(name: str, value: str) -> Iterable[CheckMessage]:
    found = list(check_page_address(name, value))
    yield from found
    parts = web_address(value) if value and not found else None
    if parts and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        hint = "Use https://: without it, anyone on the network can read the key and every email."
        yield Error(f"{name} is not encrypted.", hint=hint, id="mailroom.E042")


def check_secret_address(name: str, value: str) -> Iterable[CheckMessage]:
    parts = web_address(value) if value else None
    if value and (parts is None or "#" in value):
        hint = "Copy it again as the service shows it, in one line and without quotes or spaces."
        yield Error(f"{name} is not a web address.", hint=hint, id="mailroom.E056")
    elif parts and parts.scheme == "http" and crosses_networks(parts.hostname or ""):
        hint = "Use https://, unless the network between is private."
        yield Warning(f"{name} is not encrypted.", hint=hint, id="mailroom.W015")


def check_token(name: str, value: str) -> Iterable[CheckMessage]:
    if value and not (_KEY.fullmatch(value) and len(value) >= SHORTEST_TOKEN):
        hint = f"Use at least {SHORTEST_TOKEN} random letters and digits: openssl rand -hex 24."
        yield Error(f"{name} can be guessed, or not be sent in a header.", hint=hint, id="mailroom.E057")


def check_authorities(name: str, value: str) -> Iterable[CheckMessage]:
    if not value:
        return
    try:
        ssl.create_default_context(cafile=value)
    except (OSError, ValueError):
        hint = "Name a readable PEM file with the certificates of the authorities to trust, or unset it."
        yield Error(f"{name} cannot be read as certificates.", hint=hint, id="mailroom.E040")


def check_dotted_path(name: str, value: str) -> Iterable[CheckMessage]:
    try:
        usable = not value or callable(import_string(value))
    except ImportError:
        usable = False
    if not usable:
        hint = "Set it to the dotted path of a function, like shop.people.language, or remove it."
        yield Error(f"{name} names no function.", hint=hint, id="mailroom.E055")


def check_name_in_subjects(name: str, value: str) -> Iterable[CheckMessage]:
    # A line break in a subject would end every email.
    if not value.strip() or not value.isprintable() or len(value) > LONGEST_NAME:
        hint = f"Set it to one line of at most {LONGEST_NAME} printable characters."
        yield Error(f"{name} cannot be part of a subject.", hint=hint, id="mailroom.E047")


def check_recipients(name: str, value: list[str]) -> Iterable[CheckMessage]:
    for place, item in enumerate(value, 1):
        if not canonical_recipient(item):
            hint = "Name addresses like ada@example.com and domains like example.com, separated by commas."
            yield Error(f"Item {place} of {name} is not an address or a domain.", hint=hint, id="mailroom.E062")


def check_recipient(name: str, value: str) -> Iterable[CheckMessage]:
    if value and "@" not in canonical_recipient(value):
        hint = "Set it to one address like ada@example.com."
        yield Error(f"{name} is not exactly one address.", hint=hint, id="mailroom.E062")


def check_redis_server(name: str, value: str) -> Iterable[CheckMessage]:
    try:
        server = RedisServer.from_url(value)
    except BadUrlError as error:
        hint = "Set REDIS_URL to redis://:password@host:port/0, or REDIS_HOST and REDIS_PASSWORD."
        yield Error(f"{name} {error}.", hint=hint, id="mailroom.E031")
        return
    if not server.tls and crosses_networks(server.host):
        hint = "Use rediss:// or REDIS_TLS=1, unless the network between is private."
        yield Warning("The connection to Redis is not encrypted.", hint=hint, id="mailroom.W004")
