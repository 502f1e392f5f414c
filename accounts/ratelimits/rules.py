"""Parse the limits: the names of CLIENT_LIMITS and ADDRESS_LIMITS, and their values. Pure."""

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
    """What is counted for one address or its member: the names of ADDRESS_LIMITS."""

    MAIL = "mail"  # sign-up, resend and change of address: one for all, so that it does not tell them apart
    RESET = "reset"
    FAILED_LOG_IN = "failed-log-in"
    CURRENT_PASSWORD = "current-password"  # noqa: S105 - a name


# What Redis can count, and for how long it makes sense to.
MOST, LONGEST_S = 1_000_000_000, 366 * 86_400


class BadLimitError(ValueError):
    """A setting without valid limits. The text says why, without the value."""


@cache
def read(text: str, names: type[StrEnum]) -> Mapping[str, RateLimitItem]:
    """Parse a setting like "sign-up=20/minute,log-in=30/minute".

    Raises BadLimitError unless it has exactly one limit for each of `names`.
    """
    found: dict[str, RateLimitItem] = {}
    for pair in text.split(","):
        name, _, rate = (part.strip() for part in pair.partition("="))
        if name not in set(names) or name in found:
            raise BadLimitError(f"{name} is named twice" if name in found else "it names what has no limit")
        found[name] = limit(rate)
    if missing := [name.value for name in names if name not in found]:
        raise BadLimitError(f"no limit for {', '.join(missing)}")
    return found


@cache
def limit(text: str) -> RateLimitItem:
    """Parse a limit like "20/minute". Raises BadLimitError."""
    try:
        (found,) = limits.parse_many(text)
    except ValueError:
        raise BadLimitError("a limit is not like 20/minute") from None
    if not 1 <= found.amount <= MOST:
        raise BadLimitError(f"a limit has to allow something, and at most {MOST}")
    if found.get_expiry() > LONGEST_S:
        raise BadLimitError("a limit counts for more than a year")
    return found
