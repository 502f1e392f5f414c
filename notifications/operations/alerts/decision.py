"""Decide which problems to announce, and which are over. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from notifications.operations.advice import ProviderCode
from notifications.operations.finding import Code

# These are found at the first failure, which may be a restart or a short disturbance. The others have thresholds.
GRACE = dict.fromkeys(
    (
        *(Code.BROKER_AWAY, Code.NO_RELAY, Code.NO_BEAT, Code.BUDGET_PAUSED, Code.CONNECTIONS, Code.NO_PROVIDER),
        *ProviderCode,
    ),
    timedelta(seconds=10),
)
# During a deployment, new messages meet old workers.
GRACE |= {Code.MISFITS: timedelta(minutes=2)}
# A problem is over when it was not found for this long. Each return soon after doubles it, so that a problem that comes
# and goes is not announced all day.
QUIET, LONGEST_QUIET = timedelta(seconds=60), timedelta(minutes=30)
SOON = timedelta(hours=1)


class Change(StrEnum):
    BEGAN = "began"
    # It is about more processes, providers or streams than before.
    GREW = "grew"
    OVER = "over"


@dataclass(frozen=True, kw_only=True)
class CurrentProblem:
    """All findings of one code, at one check."""

    code: str
    text: str
    about: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """A problem over time: the fields of `models.Alert`."""

    code: str
    text: str
    about: frozenset[str]
    began_at: datetime
    seen_at: datetime
    announced_at: datetime | None = None
    over_at: datetime | None = None
    returns: int = 0
    posted: frozenset[str] | None = None

    @property
    def is_on(self) -> bool:
        return self.announced_at is not None and self.over_at is None

    @property
    def unposted(self) -> Change | None:
        """Return what the webhook does not know yet."""
        if self.over_at is not None:
            return None if self.posted is None else Change.OVER
        if not self.is_on or (self.posted is not None and self.about <= self.posted):
            return None
        return Change.BEGAN if self.posted is None else Change.GREW

    def after_post(self) -> "Occurrence":
        return replace(self, posted=None if self.over_at else self.about)


def advance(
    known: Mapping[str, Occurrence], current: Iterable[CurrentProblem], hidden: Collection[str], now: datetime
) -> dict[str, Occurrence]:
    """Return the occurrences after a check, without disturbances that ended within their grace.

    `hidden` are the codes that another problem explains: they neither begin nor end.
    """
    found = {problem.code: _found(known.get(problem.code), problem, now) for problem in current}
    others = (_missing(each, now, is_hidden=each.code in hidden) for each in known.values() if each.code not in found)
    return found | {each.code: each for each in others if each is not None}


def changes(known: Mapping[str, Occurrence], after: Mapping[str, Occurrence]) -> Iterator[tuple[Change, Occurrence]]:
    """Yield what to log, once for each change."""
    for each in after.values():
        before = known.get(each.code)
        was_on = before is not None and before.is_on
        if each.is_on and not was_on:
            yield Change.BEGAN, each
        elif before is not None and each.is_on and not each.about <= before.about:
            yield Change.GREW, each
        elif was_on and not each.is_on:
            yield Change.OVER, each


def _found(before: Occurrence | None, problem: CurrentProblem, now: datetime) -> Occurrence:
    if before is None or before.over_at is not None:
        before = _begun(before, problem, now)
    after = replace(before, text=problem.text, about=before.about | problem.about, seen_at=now)
    lasted = now - after.began_at >= GRACE.get(problem.code, timedelta(0))
    return replace(after, announced_at=now) if lasted and after.announced_at is None else after


def _begun(last: Occurrence | None, problem: CurrentProblem, now: datetime) -> Occurrence:
    begun = Occurrence(code=problem.code, text=problem.text, about=problem.about, began_at=now, seen_at=now)
    if last is None or last.over_at is None:
        return begun
    # If the webhook does not know yet that it was over, it went on.
    return replace(begun, posted=last.posted, returns=last.returns + 1 if now - last.over_at < SOON else 0)


def _missing(before: Occurrence, now: datetime, *, is_hidden: bool) -> Occurrence | None:
    if before.over_at is not None:
        return before
    if is_hidden:
        return replace(before, seen_at=now)
    if before.announced_at is None and before.posted is None:
        return None
    is_over = before.announced_at is None or now - before.seen_at >= _quiet(before.returns)
    return replace(before, over_at=now) if is_over else before


def _quiet(returns: int) -> timedelta:
    return min(QUIET * (1 << min(returns, 10)), LONGEST_QUIET)
