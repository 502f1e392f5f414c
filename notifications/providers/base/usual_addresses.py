"""Parse the usual forms of an address for Anymail, without the email package."""

import re
from typing import Any

from anymail.backends.base import BasePayload
from anymail.utils import EmailAddress, parse_address_list

# The email package's parser needs two thirds of the time in which Anymail builds a request. A name without special
# characters, or one in quotes without an escape, and a dot-atom with a name of a host need no parser.
_NAME = r'(?P<name>\w+(?: \w+)*|"[^"\\\x00-\x1f\x7f]+")'
_LOCAL = r"(?P<local>[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)"
_HOST = r"(?P<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)"
_USUAL = re.compile(rf"(?:{_NAME} <)?{_LOCAL}@{_HOST}(?(name)>)")


def parse_addresses(given: Any) -> list[EmailAddress]:
    """Return what Anymail's `parse_address_list` returns."""
    match given:
        case []:
            return []
        case str(header) | [str(header)] if usual := _USUAL.fullmatch(header):
            name = (usual["name"] or "").strip('"')
            return [EmailAddress(display_name=name, username=usual["local"], domain=usual["host"])]
    found: list[EmailAddress] = parse_address_list(given)
    return found


def with_usual_addresses(payload: type[BasePayload]) -> Any:
    """Return what a payload reads, its addresses parsed by `parse_addresses`."""
    return tuple(
        (name, combine, parse_addresses if convert is parse_address_list else convert)
        for name, combine, convert in payload.base_message_attrs
    )
