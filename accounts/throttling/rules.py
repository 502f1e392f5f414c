"""What may be asked for how often: the names of CLIENT_LIMITS and ADDRESS_LIMITS, and what these say. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

import limits
from limits import RateLimitItem


class Action(StrEnum):
    """What one client does: the names of CLIENT_LIMITS."""

    SIGN_UP = "sign-up"
    RESEND = "resend"
    RESET = "reset"
    LOG_IN = "log-in"
    FAILED_LOG_IN = "failed-log-in"


class Bucket(StrEnum):
    """What is counted for one address, or for the member whose it is: the names of ADDRESS_LIMITS."""

    MAIL = "mail"  # sign-up, resend and change of address: one for all, so that it does not tell them apart
    RESET = "reset"
    FAILED_LOG_IN = "failed-log-in"
    CURRENT_PASSWORD = "current-password"  # noqa: S105 - a name


class BadLimitError(ValueError):
    """A setting that says no limits; the text says why."""


@cache
def read(text: str, names: type[StrEnum]) -> Mapping[str, RateLimitItem]:
    """Return the limit of each of `names` as a setting like "sign-up=20/minute,log-in=30/minute" has it.

    Raises BadLimitError unless it has exactly one limit for each.
    """
    found: dict[str, RateLimitItem] = {}
    for pair in text.split(","):
        name, _, rate = (part.strip() for part in pair.partition("="))
        if name not in set(names) or name in found:
            raise BadLimitError(f"{name!r} is named twice" if name in found else f"{name!r} is none of the names")
        found[name] = limit(rate)
    if missing := [name.value for name in names if name not in found]:
        raise BadLimitError(f"no limit for {', '.join(missing)}")
    return found


@cache
def limit(text: str) -> RateLimitItem:
    """Return the limit that `text` says, like "20/minute". Raises BadLimitError."""
    try:
        found = limits.parse(text)
    except ValueError as error:
        raise BadLimitError(f"{text!r} is no limit") from error
    if found.amount < 1:
        raise BadLimitError(f"{text!r} allows nothing")
    return found
