"""Parse an email address into the one form that providers accept."""

import re
from email.utils import getaddresses
from functools import lru_cache
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

from notifications.rules.text import BREAKS

# Most addresses: the library returns them unchanged if it accepts the domain. It needs 45 µs for each, so it validates
# such a domain only once. No capitals, which it may change, and no punycode, whose length it checks in Unicode.
_PLAIN = re.compile(r"(?P<local>[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*)@(?P<domain>(?!.*xn--)[a-z0-9.-]+)")
_LONGEST_LOCAL, _LONGEST = 64, 254


class BadAddressError(ValueError):
    """The text is not exactly one address. The message does not repeat it, because logs show the message."""


class NamedAddress(NamedTuple):
    """An address in ASCII, and a name, which may be empty."""

    address: str
    name: str = ""


def named_address(raw: str) -> NamedAddress:
    """Return the one address in `raw`, like "ada@example.com" or "Ada <ada@example.com>". Raises BadAddressError."""
    if _is_plain(raw):
        return NamedAddress(raw)
    found = getaddresses([raw])
    if len(found) != 1 or BREAKS.search(raw):
        raise BadAddressError("not exactly one email address")
    ((name, address),) = found
    return NamedAddress(one_address(address), " ".join(name.split()))


def one_address(raw: str) -> str:
    """Return `raw` as one ASCII addr-spec, the domain in punycode.

    Raises BadAddressError for anything but exactly one address: provider libraries read "a@x, b@y" or a line break as
    two recipients.
    """
    return raw if _is_plain(raw) else _validated(raw)


def _is_plain(raw: str) -> bool:
    plain = _PLAIN.fullmatch(raw)
    return (
        plain is not None
        and len(raw) <= _LONGEST
        and len(plain["local"]) <= _LONGEST_LOCAL
        and _is_domain(plain["domain"])
    )


@lru_cache(maxsize=10_000)
def _is_domain(domain: str) -> bool:
    try:
        return _validated(f"x@{domain}") == f"x@{domain}"
    except BadAddressError:
        return False


def _validated(raw: str) -> str:
    try:
        found = validate_email(raw, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise BadAddressError("not exactly one email address in ASCII form") from error
    if found.ascii_email is None:
        raise BadAddressError("the address has no ASCII form")
    return found.ascii_email
