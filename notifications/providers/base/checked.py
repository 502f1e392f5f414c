"""Check texts that become part of an email."""

import re

from notifications.providers.base.django_versions import DjangosHeaderError
from notifications.rules.text import BREAKS

# RFC 5322, section 3.6.8: printable ASCII without the colon.
_HEADER_NAME = re.compile(r"[!-9;-~]+")


class BadEmailError(ValueError):
    """The email cannot be sent. The text names the part, never its content."""


class BadHeaderError(DjangosHeaderError):
    """A header cannot be sent. Applications may catch it as Django's error."""


def single_line(value: str) -> str:
    """Return `value` if it is one line that can be encoded.

    Raises BadHeaderError or BadEmailError. SendGrid's adapter does not refuse line breaks.
    """
    if BREAKS.search(value):
        raise BadHeaderError("a header value must not hold a line break")
    return encodable("a header value", value)


def header_name(name: str) -> str:
    """Return `name` if it names a header. Raises BadHeaderError."""
    if not _HEADER_NAME.fullmatch(name):
        raise BadHeaderError("a header's name must be printable ASCII")
    return name


def encodable(name: str, content: str) -> str:
    # Half a surrogate pair would fail later, and look like a bad key.
    try:
        content.encode()
    except UnicodeEncodeError as error:
        raise BadEmailError(f"{name} holds half a character") from error
    return content
