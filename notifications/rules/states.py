"""The states of a message and the events that change them, as one total table.

Every compare-and-set takes its source states from `sources()`.
"""

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Stream(TextChoices):
    """A priority lane; also the name of the Celery queue that carries it."""

    CRITICAL = "critical", _("Critical")
    DEFAULT = "default", _("Default")
    BULK = "bulk", _("Bulk")


class Status(TextChoices):
    QUEUED = "queued", _("Queued")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    UNCERTAIN = "uncertain", _("Uncertain")
    SUPPRESSED = "suppressed", _("Suppressed")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")
    DEAD = "dead", _("Dead")


# Parameters of SQL statements. They are bound on the client, so that conditions match those of partial indexes.
STATUSES: dict[str, str] = {status.name.lower(): status.value for status in Status}


class Event(TextChoices):
    CLAIMED = "claimed"
    RELEASED = "released"  # the worker gives its claim up; nothing was sent
    LEASE_ENDED = "lease ended"  # the worker was lost before the hand-over
    WORKER_LOST = "worker lost"  # the worker was lost after the hand-over
    ACCEPTED = "accepted"
    RETRY = "retry"  # the provider did not take it, later it may
    RESPONSE_LOST = "response lost"  # the provider may have taken it
    SETTLED = "settled"  # uncertain for too long, and the kind prefers twice to never
    EXPIRED = "expired"  # its time is over
    CANCELLED = "cancelled"  # no longer relevant
    ADDRESS_SUPPRESSED = "address suppressed"  # the address gets no such mail
    FAILED = "failed"  # it will never be taken
    DROPPED = "dropped"  # uncertain, and a person has decided that it is not sent again
    REPLAYED = "replayed"  # a dead letter gets another life


@dataclass(frozen=True)
class Ignored:
    reason: str


NOT_DEAD = Ignored("only a dead letter can get another life; anything else is resent as a new message")
OVER = Ignored("the message has reached its end; only a replay or a resend would start anew")
NOT_CLAIMED = Ignored("nobody holds a claim in this state, so a word of a claim is an old one")
OTHERS_CLAIM = Ignored("the message is in a worker's hands; only that worker or the end of its lease decides")
ALREADY_SENT = Ignored("an acceptance is the last word on sending; what comes later is an older attempt's")
NOT_UNCERTAIN = Ignored("there is nothing to settle")

_ENDED = dict.fromkeys(Event, OVER)

TRANSITIONS: dict[Status, dict[Event, Status | Ignored]] = {
    Status.QUEUED: {
        Event.CLAIMED: Status.SENDING,
        Event.RELEASED: NOT_CLAIMED,
        Event.LEASE_ENDED: NOT_CLAIMED,
        Event.WORKER_LOST: NOT_CLAIMED,
        # A worker that was frozen past its lease comes back with the provider's yes: the mail is out.
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
        Event.CLAIMED: Ignored("a second copy may only follow a settlement"),
        Event.RELEASED: NOT_CLAIMED,
        Event.LEASE_ENDED: NOT_CLAIMED,
        Event.WORKER_LOST: NOT_CLAIMED,
        Event.ACCEPTED: Status.SENT,
        Event.RETRY: NOT_CLAIMED,
        Event.RESPONSE_LOST: NOT_CLAIMED,
        Event.SETTLED: Status.QUEUED,
        Event.EXPIRED: Ignored("the provider may have it: that it is late does not make it unsent"),
        Event.CANCELLED: Ignored("the provider may have it: it can no longer be called back"),
        Event.ADDRESS_SUPPRESSED: Ignored("the provider may have it: it can no longer be called back"),
        Event.FAILED: NOT_CLAIMED,
        Event.DROPPED: Status.CANCELLED,
        Event.REPLAYED: NOT_DEAD,
    },
    Status.SENT: dict.fromkeys(Event, ALREADY_SENT),
    # The provider's yes is a fact, also when we had given up the message in the meantime.
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
