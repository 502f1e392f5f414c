"""Parse the settings CLIENT_LIMITS and ADDRESS_LIMITS. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

import limits
from limits import RateLimitItem


class Action(StrEnum):
    """A client's action: the names in CLIENT_LIMITS."""

    SIGN_UP = "sign-up"
    RESEND = "resend"
    RESET = "reset"
    LOG_IN = "log-in"
    FAILED_LOG_IN = "failed-log-in"


class Bucket(StrEnum):
    """A count for one address or member: the names in ADDRESS_LIMITS."""

    EMAIL = "mail"  # sign-up, resend and change of address share one count, which so reveals nothing about an account
    RESET = "reset"
    FAILED_LOG_IN = "failed-log-in"
    CURRENT_PASSWORD = "current-password"  # noqa: S105 - a name


# What Redis can count, and the longest sensible time.
MOST, LONGEST_S = 1_000_000_000, 366 * 86_400


class BadLimitError(ValueError):
    """A setting has no valid limits. The text gives the reason without the value."""


@cache
def read(text: str, names: type[StrEnum]) -> Mapping[str, RateLimitItem]:
    """Parse a setting like "sign-up=20/minute,log-in=30/minute".

    Raises BadLimitError unless it has exactly one limit for each of `names`.
    """
    found: dict[str, RateLimitItem] = {}
    for pair in text.split(","):
        name, _, rate = (part.strip() for part in pair.partition("="))
        if name not in set(names) or name in found:
            raise BadLimitError(f"{name} is set twice" if name in found else "an unknown name")
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
        raise BadLimitError(f"a limit must be at least 1 and at most {MOST}")
    if found.get_expiry() > LONGEST_S:
        raise BadLimitError("a limit's period is longer than a year")
    return found
