"""What the application learns about a message: docs/how-to/react-to-deliveries.md. Pure."""

from enum import StrEnum

from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status


class MessageChange(StrEnum):
    """A change of a message that the signal `message_changed` reports."""

    SENT = "sent"  # a provider has accepted it
    SUPPRESSED = "suppressed"  # not sent: the address gets no such email
    EXPIRED = "expired"  # not sent: too late
    CANCELLED = "cancelled"  # not sent: cancelled, or no longer relevant
    DEAD = "dead"  # not sent: no retry helps; an operator may replay it
    DELIVERED = "delivered"  # the recipient's server has accepted it
    REJECTED = "rejected"  # the provider had accepted it, then dropped it
    BOUNCED = "bounced"  # not delivered, or returned later
    COMPLAINED = "complained"  # the recipient marked it as spam


# None: a step on the way to one of the others.
OF_STATUS: dict[Status, MessageChange | None] = {
    Status.QUEUED: None,
    Status.SENDING: None,
    Status.SENT: MessageChange.SENT,
    Status.UNCERTAIN: None,
    Status.SUPPRESSED: MessageChange.SUPPRESSED,
    Status.EXPIRED: MessageChange.EXPIRED,
    Status.CANCELLED: MessageChange.CANCELLED,
    Status.DEAD: MessageChange.DEAD,
}
OF_OUTCOME: dict[Outcome, MessageChange | None] = {
    Outcome.UNKNOWN: None,
    Outcome.DEFERRED: None,
    Outcome.DELIVERED: MessageChange.DELIVERED,
    Outcome.BOUNCED: MessageChange.BOUNCED,
    Outcome.COMPLAINED: MessageChange.COMPLAINED,
    Outcome.REJECTED: MessageChange.REJECTED,
}
