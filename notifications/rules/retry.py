"""Decide what happens to a message after an attempt that was not accepted. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class ErrorClass(StrEnum):
    """How an attempt failed: decides between a retry, another provider and the end."""

    TRANSIENT = "transient"  # not sent; a retry may help
    RATE_LIMITED = "rate-limited"  # not sent; the provider asks us to slow down
    PERMANENT = "permanent"  # not sent; no retry will help
    MISCONFIGURED = "misconfigured"  # not sent; no message will be until an operator fixes the set-up
    AMBIGUOUS = "ambiguous"  # may have been sent


# Such a message ends only when it expires, not after a number of attempts. Otherwise a daily quota would end half a
# campaign.
COST_NO_ATTEMPT = frozenset({ErrorClass.RATE_LIMITED, ErrorClass.MISCONFIGURED})

REFUSED = "refused permanently"
SPENT = "all {tries} attempts failed"

LONGEST_S = 3600.0
MAX_DOUBLINGS = 12
#: The longest pause as a share of the kind's max_age: a reset that is valid for an hour is retried every 5 minutes.
SHARE_OF_AGE = 1 / 12


@dataclass(frozen=True)
class Retry:
    after_s: float


@dataclass(frozen=True)
class GiveUp:
    reason: str


@dataclass(frozen=True)
class TooLate:
    """The message expires before the next attempt. Not a failure: a replay would not help."""


@dataclass(frozen=True)
class Uncertain:
    """The provider may have accepted the message. A retry could send a duplicate."""


@dataclass(frozen=True)
class Tries:
    """The attempts of a message. `counted` is compared with the kind's limit; `made` determines the pauses."""

    counted: int
    made: int


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a kind allows: counted attempts, and seconds since the message was enqueued."""

    attempts: int
    age_s: float


Decision = Retry | GiveUp | TooLate | Uncertain

#: The first pause; every further attempt doubles it. The same for every error: the breaker and the budget slow down for
#: a failing provider, and another provider may take over immediately.
FIRST_S = 2.0

# In a rolling deploy, a worker of the right version starts within seconds. Bulk messages can wait longer.
MISFIT_FIRST_S = 2.0
MISFIT_LONGEST_S, MISFIT_LONGEST_BULK_S = 60.0, 600.0


def misfit_pause_s(age_s: float, *, is_bulk: bool, jitter: float) -> float:
    """Return the pause before another worker may try a message that this one cannot render.

    The pause grows with the message's age, so no counter is needed. `jitter` is a random number in [0, 1).
    """
    longest_s = MISFIT_LONGEST_BULK_S if is_bulk else MISFIT_LONGEST_S
    return min(max(age_s / 2, MISFIT_FIRST_S), longest_s) * (0.5 + jitter / 2)


def decide(
    error_class: ErrorClass, limits: Limits, *, tries: Tries, age_s: float, retry_after_s: float | None, jitter: float
) -> Decision:
    """Return the decision; `jitter` is a random number in [0, 1).

    The pause is between half and all of the exponential step, so that messages that failed together are not retried
    together. It is never shorter than the provider asked for.
    """
    if error_class is ErrorClass.AMBIGUOUS:
        return Uncertain()
    if error_class is ErrorClass.PERMANENT:
        return GiveUp(REFUSED)
    if tries.counted >= limits.attempts and error_class not in COST_NO_ATTEMPT:
        return GiveUp(SPENT.format(tries=tries.counted))
    step = FIRST_S * 2.0 ** min(max(tries.made - 1, 0), MAX_DOUBLINGS)
    longest = max(FIRST_S, min(LONGEST_S, limits.age_s * SHARE_OF_AGE))
    after_s = max(min(step, longest) * (0.5 + jitter / 2), retry_after_s or 0.0)
    if age_s + after_s >= limits.age_s:
        return TooLate()
    return Retry(after_s)
