"""Decide what happens to a message after an attempt that was not accepted. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class ErrorClass(StrEnum):
    """What decides between a retry, another provider, and the end."""

    TRANSIENT = "transient"  # surely not sent; may be tried again
    RATE_LIMITED = "rate-limited"  # surely not sent; the provider wants less for a while
    PERMANENT = "permanent"  # surely not sent, and this message never will be
    MISCONFIGURED = "misconfigured"  # surely not sent; no message will be until somebody fixes the set-up
    AMBIGUOUS = "ambiguous"  # may have been sent


# The provider wants less for a while, or somebody has to fix the set-up: the message's own time ends it, not a number
# of attempts. Half a campaign would be lost to a day's quota otherwise.
COST_NO_ATTEMPT = frozenset({ErrorClass.RATE_LIMITED, ErrorClass.MISCONFIGURED})

REFUSED = "refused for good"
SPENT = "{tries} attempts are spent"

LONGEST_S = 3600.0
MOST_DOUBLINGS = 12
# No pause is longer than this share of a kind's whole time: a reset that is good for an hour is tried every 5 minutes.
OF_ITS_TIME = 1 / 12


@dataclass(frozen=True)
class Retry:
    after_s: float


@dataclass(frozen=True)
class GiveUp:
    reason: str


@dataclass(frozen=True)
class TooLate:
    """The message expires before another attempt. A replay would not help, so it is no failure."""


@dataclass(frozen=True)
class Uncertain:
    """The provider may have accepted the message. A retry, here or at another provider, could send a duplicate."""


@dataclass(frozen=True)
class Tries:
    """The attempts of a message. `counted` meets the kind's ceiling; `made` sets the pauses."""

    counted: int
    made: int


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a kind allows a message: counted attempts, and seconds since it was enqueued."""

    attempts: int
    age_s: float


Decision = Retry | GiveUp | TooLate | Uncertain

# The first step; every further attempt doubles it. The same for every error: the longer pauses that a provider in
# trouble needs are the breaker's and the budget's, and another provider may be back at once.
FIRST_S = 2.0

# A worker that fits is there within seconds in a rolling deploy; of a whole campaign none has to be.
MISFIT_FIRST_S = 2.0
MISFIT_LONGEST_S, MISFIT_LONGEST_BULK_S = 60.0, 600.0


def misfit_pause_s(age_s: float, *, is_bulk: bool, jitter: float) -> float:
    """Return the pause before another worker may try a message that this one cannot render.

    The pause grows with the message's age, so no counter is needed. `jitter` is a random number in [0, 1).
    """
    longest_s = MISFIT_LONGEST_BULK_S if is_bulk else MISFIT_LONGEST_S
    return min(max(age_s / 2, MISFIT_FIRST_S), longest_s) * (0.5 + jitter / 2)


def decide(
    error_class: ErrorClass, limits: Limits, *, tries: Tries, age_s: float, provider_wish_s: float | None, jitter: float
) -> Decision:
    """Return the decision; `jitter` is a random number in [0, 1).

    The delay lies between half and the whole of the exponential step, so that messages that failed together do not
    return together; it is never shorter than the provider's own wish.
    """
    if error_class is ErrorClass.AMBIGUOUS:
        return Uncertain()
    if error_class is ErrorClass.PERMANENT:
        return GiveUp(REFUSED)
    if tries.counted >= limits.attempts and error_class not in COST_NO_ATTEMPT:
        return GiveUp(SPENT.format(tries=tries.counted))
    step = FIRST_S * 2.0 ** min(max(tries.made - 1, 0), MOST_DOUBLINGS)
    longest = max(FIRST_S, min(LONGEST_S, limits.age_s * OF_ITS_TIME))
    after_s = max(min(step, longest) * (0.5 + jitter / 2), provider_wish_s or 0.0)
    if age_s + after_s >= limits.age_s:
        return TooLate()
    return Retry(after_s)
