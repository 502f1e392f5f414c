"""Decide which emails Mailroom sends while it runs beside another backend, and compare emails. Pure."""

from collections.abc import Mapping
from hashlib import sha256

#: The kind of a copy that is composed and compared. No statement hands over a message of this kind. Its resends and
#: replays have the kind too, and a release before this one has no such kind and lets it wait.
KIND = "email-shadow"
#: Why such a message ends without being sent.
COMPARED = "a copy for comparison: another backend sent the email"


def is_switched(address: str, percent: int) -> bool:
    """Decide whether Mailroom sends what goes to this address.

    All email to an address goes one way. As `percent` grows, no address moves back.
    """
    return int.from_bytes(sha256(address.lower().encode(errors="replace")).digest()[:8]) % 100 < percent


def differing_parts(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Name the parts whose digests differ: the other backend's, then ours."""
    found = []
    for name in {**old, **new}:
        if name not in new:
            found.append(f"{name} is missing")
        elif name not in old:
            found.append(f"{name} was added")
        elif old[name] != new[name]:
            found.append(f"{name} differs")
    return found
