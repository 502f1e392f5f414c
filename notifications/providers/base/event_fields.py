"""Read single values of an event, and fit them to our columns.

Any value may be missing or of another type.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from notifications.providers.base.compose import ATTEMPT_KEY, MESSAGE_ID_KEY
from notifications.providers.base.webhook import UnknownEventError

LONGEST_DETAIL = 300
LONGEST_ID = 200
LONGEST_ADDRESS = 320
LAST_ATTEMPT = 32_767

ADDRESS = re.compile(r"[^\x00-\x20\x7f<>\ud800-\udfff]+@[^\x00-\x20\x7f<>@\ud800-\udfff]+")
# The form that notifications.delivery.render writes.
OUR_HEADER = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@[^<>@\s]+>", re.IGNORECASE)
UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def section(payload: Mapping[str, Any], name: str) -> dict[str, Any]:
    # Empty if there is none.
    found = payload.get(name)
    return found if isinstance(found, dict) else {}


def short_line(value: Any, longest: int = LONGEST_DETAIL) -> str:
    # One printable line; "" if the value is neither text nor a number.
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = UNPRINTABLE.sub(" ", str(value)).strip()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def detail(*values: Any, between: str = ": ") -> str:
    return short_line(between.join(filter(None, map(short_line, values))))


def address(value: Any) -> str:
    """Return the addr-spec in lower case. Raises UnknownEventError."""
    text = value.strip() if isinstance(value, str) else ""
    if text.endswith(">"):
        text = text[:-1].rpartition("<")[2]
    text = text.lower()
    if len(text) > LONGEST_ADDRESS or not ADDRESS.fullmatch(text):
        raise UnknownEventError("no usable recipient")
    return text


def recipient_address(value: Any, *names: object) -> str:
    """Return the addr-spec in lower case.

    Raises UnknownEventError. "" if there is none and one of `names` identifies the message.
    """
    try:
        return address(value)
    except UnknownEventError:
        if any(names):
            return ""
        raise


def header_id(value: Any) -> UUID | None:
    # Ours has the form "<id@our-domain>".
    found = OUR_HEADER.fullmatch(short_line(value))
    return UUID(found[1]) if found else None


def ours(metadata: Mapping[str, Any]) -> tuple[UUID | None, int | None]:
    # Our message id and attempt, which the email's metadata held.
    try:
        message_id = UUID(short_line(metadata.get(MESSAGE_ID_KEY)))
    except ValueError:
        message_id = None
    attempt = short_line(metadata.get(ATTEMPT_KEY), 10)
    known = attempt.isascii() and attempt.isdecimal() and int(attempt) <= LAST_ATTEMPT
    return message_id, int(attempt) if known else None


def utc_time(value: Any) -> datetime | None:
    # From ISO 8601 or seconds since 1970; None for other values.
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
