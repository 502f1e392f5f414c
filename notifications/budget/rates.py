"""Parse rates, floors and daily limits from the settings. Pure."""

from collections.abc import Callable, Collection
from typing import TypeVar

T = TypeVar("T")

FASTEST = 10_000.0
# The value of EMAIL_RATE for which each provider has its usual rate.
USUAL = "usual"
MAX_A_DAY = 1_000_000_000


class BadRateError(ValueError):
    """A setting of the budget that cannot be read. The text says what is wrong, without the value."""


def parse_provider_rates(text: str, names: Collection[str]) -> dict[str, float]:
    """Parse EMAIL_RATE; empty if each provider has its usual rate. Raises BadRateError."""
    return {} if text == USUAL else parse_rates(text, names)


def parse_rates(text: str, names: Collection[str]) -> dict[str, float]:
    """Return messages per second by name.

    Raises BadRateError. The text is "10" (all of `names`) or "ses=10,sendgrid=50".
    """
    return _pairs(text, names, _rate)


def parse_floors(text: str, names: Collection[str]) -> dict[str, float]:
    """Return each name's share of the rate, from "critical=0.5,bulk=0.1".

    Raises BadRateError, also for floors above 1 in total.
    """
    if text.strip() and "=" not in text:
        raise BadRateError("a floor has no stream; write it as critical=0.5")
    shares = _pairs(text, names, _share)
    # Allows for rounding: shares like 0.7, 0.2 and 0.1 have no exact binary fractions.
    if sum(shares.values()) > 1 + 1e-9:
        raise BadRateError("the floors add up to more than 1")
    return shares


def parse_daily(text: str, names: Collection[str]) -> dict[str, int]:
    """Return messages per 24 hours by name.

    Raises BadRateError. The text is "50000" (all of `names`) or "ses=50000".
    """
    return _pairs(text, names, _count)


def _pairs(text: str, names: Collection[str], read: Callable[[str], T]) -> dict[str, T]:
    if not text.strip():
        return {}
    if "=" not in text:
        return dict.fromkeys(names, read(text))
    values = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        if name.strip() not in names:
            raise BadRateError(f"use only these names: {', '.join(sorted(names))}")
        if name.strip() in values:
            raise BadRateError(f"{name.strip()} is named twice")
        values[name.strip()] = read(value)
    return values


def _rate(text: str) -> float:
    rate = _number(text, "a number of messages per second")
    if not 0 < rate <= FASTEST:  # the buckets count in microseconds
        raise BadRateError(f"messages per second must be above 0 and at most {FASTEST:.0f}")
    return rate


def _share(text: str) -> float:
    share = _number(text, "a share of the provider's rate")
    if not 0 <= share <= 1:
        raise BadRateError("a share must be between 0 and 1")
    return share


def _count(text: str) -> int:
    count = _number(text, "a number of messages per day")
    if not (1 <= count <= MAX_A_DAY and count.is_integer()):
        raise BadRateError(f"messages per day must be a whole number from 1 to {MAX_A_DAY}")
    return int(count)


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadRateError(f"a value is not {what}") from None
