"""Check the parts of an email that an application gives, in drafts and kinds."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from django.utils.timezone import is_aware

from notifications.providers.base.checked import BadEmailError, BadHeaderError
from notifications.providers.base.compose import BadSenderError, checked_header, sender_header
from notifications.providers.base.files import checked_file
from notifications.rules.addresses import BadAddressError, NamedAddress, named_address
from notifications.rules.content import Attachment
from notifications.rules.text import UNSTORABLE

T = TypeVar("T")

# The engine or the provider writes these, or a field of the draft sets them.
OWNED = frozenset(
    {
        *("message-id", "date", "from", "sender", "to", "cc", "bcc", "reply-to", "subject", "return-path", "received"),
        *("mime-version", "dkim-signature", "x-metadata", "x-tag", "x-smtpapi", "x-sg-id", "x-sg-eid"),
    }
)
OWNED_STARTS = ("content-", "resent-", "x-mailroom-")
#: SendGrid takes this many.
MOST_TAGS = 10
# No comma: headers list tags with commas between them.
_TAG = re.compile(r"[ -+\--~]{1,100}")
_LONGEST_KEY = 500
# PostgreSQL stores more years than Python reads.
_YEARS = range(1970, 9000)


class BadContentError(ValueError):
    """A part of an email that cannot be sent. The text names the part, never its value."""


def people(name: str, given: str | Sequence[str]) -> tuple[NamedAddress, ...]:
    """Return the addresses of a field. Raises BadAddressError."""
    each = [given] if isinstance(given, str) else given
    try:
        return tuple(map(named_address, each))
    except BadAddressError as error:
        raise BadAddressError(f"{name}: {error}") from error
    except (TypeError, AttributeError) as error:
        raise BadAddressError(f"{name}: each address must be text") from error


def sender(given: str) -> str:
    # "" for the default.
    if given and not isinstance(given, str):
        raise BadContentError("from_email must be text")
    try:
        return given and sender_header(given) and given
    except BadSenderError as error:
        raise BadContentError("from_email is not exactly one address") from error


def headers(given: Mapping[str, str]) -> dict[str, str]:
    """Return the headers. Raises BadContentError for one that the engine owns, that is named twice, or no text."""
    known: set[str] = set()
    if not isinstance(given, Mapping):
        raise BadContentError("headers must be a mapping of names to values")
    for name, value in given.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise BadContentError("headers: names and values must be text")
        lower = name.lower()
        if lower in OWNED or lower.startswith(OWNED_STARTS):
            raise BadContentError(f"headers: {lower} is not for applications; a field of the draft may set it")
        if lower in known:
            raise BadContentError(f"headers: {lower} is there twice")
        known.add(lower)
        try:
            checked_header(name, value)
        except (BadHeaderError, BadEmailError) as error:
            raise BadContentError(f"headers: {error}") from error
    return dict(given)


def tags(given: Iterable[str]) -> tuple[str, ...]:
    found = () if isinstance(given, str) else tuple(dict.fromkeys(_each("tags", given)))
    if isinstance(given, str) or not all(isinstance(tag, str) and _TAG.fullmatch(tag) for tag in found):
        raise BadContentError("tags must be a list of short texts in ASCII, without commas")
    if len(found) > MOST_TAGS:
        raise BadContentError(f"an email has at most {MOST_TAGS} tags")
    return found


def files(given: Iterable[Attachment]) -> tuple[Attachment, ...]:
    found = _each("attachments", given)
    for file in found:
        if not isinstance(file, Attachment):
            raise BadContentError("attachments must be a list of Attachment")
        try:
            checked_file(file)
        except (BadHeaderError, BadEmailError) as error:
            raise BadContentError(f"attachments: {error}") from error
    return found


def idempotency_key(given: str) -> str:
    if not isinstance(given, str) or len(given) > _LONGEST_KEY or UNSTORABLE.search(given):
        raise BadContentError(f"key must be text of at most {_LONGEST_KEY} characters, without NUL")
    return given


def moment(name: str, given: datetime) -> datetime:
    """Return a time that can be stored. Raises BadContentError."""
    if not isinstance(given, datetime) or not is_aware(given) or given.year not in _YEARS:
        raise BadContentError(f"{name} must be a time with its time zone, in the years {_YEARS[0]} to {_YEARS[-1]}")
    return given


def _each(name: str, given: Iterable[T]) -> tuple[T, ...]:
    # An iterator has its items once.
    if not isinstance(given, Iterable):
        raise BadContentError(f"{name} must be a list")
    return tuple(given)
