"""What happened to a message, in a few words for Celery's results. No personal data."""

from typing import NamedTuple
from uuid import UUID

from notifications.delivery.relevance import SUPPRESSED, Skip
from notifications.models import Message
from notifications.rules import states
from notifications.rules.states import Event, Status

RESPONSE_LOST = "response lost"
#: The result of a message that is no longer there.
DELETED = "the message is deleted"
#: The result of a task that came too late for its message.
EARLIER = "before this task"


class Fate(NamedTuple):
    status: Status
    why: str = ""

    def __str__(self) -> str:
        return f"{self.status.value}: {self.why}" if self.why else self.status.value


def of_skip(skip: Skip) -> Fate:
    if skip.event is Event.FAILED:
        return Fate(Status.DEAD, skip.fingerprint)
    return Fate(states.target(skip.event), skip.reason.removeprefix(SUPPRESSED.format(reason="")))


def of_row(message_id: UUID) -> Fate:
    """Return what the row says, for a task that could not claim its message."""
    row = Message.objects.filter(id=message_id).values_list("status", "error_fingerprint").first()
    if row is None:
        return Fate(Status.CANCELLED, DELETED)
    status, fingerprint = Status(row[0]), row[1]
    return Fate(status, {Status.DEAD: fingerprint, Status.UNCERTAIN: RESPONSE_LOST}.get(status, EARLIER))
