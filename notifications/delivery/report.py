"""What one task did with its messages, and what it reports to Celery. Pure."""

from collections import Counter
from dataclasses import dataclass, field

from notifications.delivery.fate import Fate
from notifications.rules.states import Status
from notifications.runtime.task_errors import NOTHING_TO_DO, ClaimedError, DeadError, QueuedError, UncertainError

#: The result of messages that this task had claimed, and that another may have meanwhile.
CLAIM_LOST = "claim lost"
#: The most causes that an error of a group names.
MOST_CAUSES = 3


@dataclass
class DeliveryReport:
    """The messages of one task, counted by result. `retry_in_s` is for Celery's retry of a single message.

    `fates` has the messages whose status this task has decided; the others still wait, or another task has them.
    """

    size: int = 1
    counts: Counter[str] = field(default_factory=Counter)
    fates: Counter[Fate] = field(default_factory=Counter)
    retry_in_s: float | None = None

    @property
    def decides(self) -> bool:
        # Whether a single message's fate is known, or it waits for a reason that this task knows.
        return bool(self.fates) or (self.counts.total() > 0 and not self.counts[CLAIM_LOST])

    def __str__(self) -> str:
        counted = [f"{count} {word}" for word, count in self.counts.items() if count]
        return ", ".join(counted) or NOTHING_TO_DO


def conclude(report: DeliveryReport) -> str:
    """Return the result of a task whose messages ended well, or as they should.

    Raises DeadError and UncertainError. For a single message also QueuedError, if it waits for another attempt, and
    ClaimedError, if another worker has it.
    """
    if report.size == 1:
        return _conclude_single(report)
    dead, uncertain = _causes(report, Status.DEAD), _causes(report, Status.UNCERTAIN)
    if not (dead or uncertain):
        return str(report)
    failed = {Status.DEAD: dead, Status.UNCERTAIN: uncertain}
    parts = [f"{n.total()} of {report.size} {status.value}: {_most(n)}" for status, n in failed.items() if n]
    raise (DeadError if dead else UncertainError)("; ".join([*parts, str(report)]))


def _conclude_single(report: DeliveryReport) -> str:
    fate = next(iter(report.fates), Fate(Status.QUEUED, ", ".join(report.counts)))
    errors = {
        Status.DEAD: DeadError,
        Status.UNCERTAIN: UncertainError,
        Status.QUEUED: QueuedError,
        Status.SENDING: ClaimedError,
    }
    if error := errors.get(fate.status):
        raise error(fate.why)
    return str(fate)


def _causes(report: DeliveryReport, status: Status) -> Counter[str]:
    return Counter({fate.why: count for fate, count in report.fates.items() if fate.status is status})


def _most(causes: Counter[str]) -> str:
    named = [cause for cause, _ in causes.most_common(MOST_CAUSES)]
    return ", ".join([*named, "…"] if len(causes) > MOST_CAUSES else named)
