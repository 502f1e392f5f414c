"""The states of a message and the events that change them, as one total table.

Every compare-and-set takes its source states from `sources()`.
"""

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Stream(TextChoices):
    """A priority lane; also the name of its Celery queue."""

    CRITICAL = "critical", _("Critical")
    DEFAULT = "default", _("Default")
    BULK = "bulk", _("Bulk")


# A context, since the pages of a product may use the same words for something else.
class Status(TextChoices):
    QUEUED = "queued", pgettext_lazy("status", "Queued")
    SENDING = "sending", pgettext_lazy("status", "Sending")
    SENT = "sent", pgettext_lazy("status", "Sent")
    UNCERTAIN = "uncertain", pgettext_lazy("status", "Uncertain")
    SUPPRESSED = "suppressed", pgettext_lazy("status", "Suppressed")
    EXPIRED = "expired", pgettext_lazy("status", "Expired")
    CANCELLED = "cancelled", pgettext_lazy("status", "Cancelled")
    DEAD = "dead", pgettext_lazy("status", "Dead")


# Parameters of SQL statements. Bound on the client, so that conditions match those of partial indexes.
STATUSES: dict[str, str] = {status.name.lower(): status.value for status in Status}


class Event(TextChoices):
    CLAIMED = "claimed"
    RELEASED = "released"  # the worker gave up its claim; nothing was sent
    LEASE_ENDED = "lease ended"  # the worker was lost before the hand-over
    WORKER_LOST = "worker lost"  # the worker was lost after the hand-over
    ACCEPTED = "accepted"
    RETRY = "retry"  # the provider did not accept it, but may later
    RESPONSE_LOST = "response lost"  # the provider may have accepted it
    SETTLED = "settled"  # uncertain for too long, and its kind is at-least-once
    EXPIRED = "expired"  # past its expiry
    CANCELLED = "cancelled"  # no longer relevant
    ADDRESS_SUPPRESSED = "address suppressed"  # the address gets no such email
    FAILED = "failed"  # no retry will help
    DROPPED = "dropped"  # uncertain, and an operator decided not to resend it
    REPLAYED = "replayed"  # a dead letter is queued again


@dataclass(frozen=True)
class Ignored:
    reason: str


NOT_DEAD = Ignored("only a dead letter can be replayed; any other message is resent as a new one")
OVER = Ignored("the message has ended; only a replay or a resend would send it")
NOT_CLAIMED = Ignored("no worker holds a claim in this state, so the event belongs to an older claim")
OTHERS_CLAIM = Ignored("a worker holds the message; only that worker or the end of its lease decides")
ALREADY_SENT = Ignored("an acceptance is final; a later event belongs to an older attempt")
NOT_UNCERTAIN = Ignored("there is nothing to settle")

_ENDED = dict.fromkeys(Event, OVER)

TRANSITIONS: dict[Status, dict[Event, Status | Ignored]] = {
    Status.QUEUED: {
        Event.CLAIMED: Status.SENDING,
        Event.RELEASED: NOT_CLAIMED,
        Event.LEASE_ENDED: NOT_CLAIMED,
        Event.WORKER_LOST: NOT_CLAIMED,
        # A worker that was frozen past its lease reports the provider's acceptance: the email was sent.
        Event.ACCEPTED: Status.SENT,
        Event.RETRY: NOT_CLAIMED,
        Event.RESPONSE_LOST: NOT_CLAIMED,
        Event.SETTLED: NOT_UNCERTAIN,
        Event.EXPIRED: Status.EXPIRED,
        Event.CANCELLED: Status.CANCELLED,
        Event.ADDRESS_SUPPRESSED: Status.SUPPRESSED,
        Event.FAILED: NOT_CLAIMED,
        Event.DROPPED: NOT_UNCERTAIN,
        Event.REPLAYED: NOT_DEAD,
    },
    Status.SENDING: {
        Event.CLAIMED: OTHERS_CLAIM,
        Event.RELEASED: Status.QUEUED,
        Event.LEASE_ENDED: Status.QUEUED,
        Event.WORKER_LOST: Status.UNCERTAIN,
        Event.ACCEPTED: Status.SENT,
        Event.RETRY: Status.QUEUED,
        Event.RESPONSE_LOST: Status.UNCERTAIN,
        Event.SETTLED: NOT_UNCERTAIN,
        Event.EXPIRED: Status.EXPIRED,
        Event.CANCELLED: Status.CANCELLED,
        Event.ADDRESS_SUPPRESSED: Status.SUPPRESSED,
        Event.FAILED: Status.DEAD,
        Event.DROPPED: NOT_UNCERTAIN,
        Event.REPLAYED: NOT_DEAD,
    },
    Status.UNCERTAIN: {
        Event.CLAIMED: Ignored("a second copy is only sent after the message was settled"),
        Event.RELEASED: NOT_CLAIMED,
        Event.LEASE_ENDED: NOT_CLAIMED,
        Event.WORKER_LOST: NOT_CLAIMED,
        Event.ACCEPTED: Status.SENT,
        Event.RETRY: NOT_CLAIMED,
        Event.RESPONSE_LOST: NOT_CLAIMED,
        Event.SETTLED: Status.QUEUED,
        Event.EXPIRED: Ignored("the provider may have accepted it: being late does not make it unsent"),
        Event.CANCELLED: Ignored("the provider may have accepted it: it cannot be recalled"),
        Event.ADDRESS_SUPPRESSED: Ignored("the provider may have accepted it: it cannot be recalled"),
        Event.FAILED: NOT_CLAIMED,
        Event.DROPPED: Status.CANCELLED,
        Event.REPLAYED: NOT_DEAD,
    },
    Status.SENT: dict.fromkeys(Event, ALREADY_SENT),
    # An acceptance is a fact, even if the message has ended in the meantime.
    Status.SUPPRESSED: {**_ENDED, Event.ACCEPTED: Status.SENT},
    Status.EXPIRED: {**_ENDED, Event.ACCEPTED: Status.SENT},
    Status.CANCELLED: {**_ENDED, Event.ACCEPTED: Status.SENT},
    Status.DEAD: {**_ENDED, Event.ACCEPTED: Status.SENT, Event.REPLAYED: Status.QUEUED},
}


def target(event: Event) -> Status:
    # Every event leads to exactly one state; a test checks it.
    return next(after for row in TRANSITIONS.values() if isinstance(after := row[event], Status))


def sources(event: Event) -> list[Status]:
    return [status for status, row in TRANSITIONS.items() if isinstance(row[event], Status)]
