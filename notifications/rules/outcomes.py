"""Map a provider's events to the outcome of a message. Pure.

Events arrive late, twice and out of order, so an outcome moves by rank and never by arrival.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Outcome(TextChoices):
    UNKNOWN = "unknown", _("Unknown")
    DEFERRED = "deferred", _("Deferred")
    DELIVERED = "delivered", _("Delivered")
    BOUNCED = "bounced", _("Bounced")
    COMPLAINED = "complained", _("Complained")
    REJECTED = "rejected", _("Rejected")


class EventType(TextChoices):
    """What a provider's event says about one message."""

    ACCEPTED = "accepted", _("Accepted")
    DEFERRED = "deferred", _("Deferred")
    DELIVERED = "delivered", _("Delivered")
    BOUNCED = "bounced", _("Bounced")  # not delivered; BounceKind says whether the address is to blame
    COMPLAINED = "complained", _("Complained")
    NOT_SPAM = "not spam", _("Not spam")  # the recipient withdrew a complaint
    REJECTED = "rejected", _("Rejected")  # the provider accepted it, then dropped it
    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")


class BounceKind(TextChoices):
    HARD = "hard", _("Hard")  # no such mailbox, or it permanently refuses our email
    SOFT = "soft", _("Soft")  # mailbox full, server busy …: may work later
    BLOCKED = "blocked", _("Blocked")  # because of our reputation or the content: says nothing about the address
    AUTO_REPLY = "auto-reply", _("Auto-reply")  # an automatic reply: the email was delivered


RANK = {
    Outcome.UNKNOWN: 0,
    Outcome.DEFERRED: 1,
    Outcome.DELIVERED: 2,
    # Final. A mailbox may accept an email and bounce it later. Only a delivered email gets a complaint.
    Outcome.REJECTED: 3,
    Outcome.BOUNCED: 4,
    Outcome.COMPLAINED: 5,
}

# None: the event does not change the outcome.
OUTCOMES: dict[EventType, Outcome | None] = {
    EventType.ACCEPTED: None,  # about our status, not the recipient's side
    EventType.DEFERRED: Outcome.DEFERRED,
    EventType.DELIVERED: Outcome.DELIVERED,
    EventType.BOUNCED: Outcome.BOUNCED,
    EventType.COMPLAINED: Outcome.COMPLAINED,
    EventType.NOT_SPAM: None,  # the complaint stays in the history
    EventType.REJECTED: Outcome.REJECTED,
    EventType.UNSUBSCRIBED: None,  # about the recipient's wish, not this email
}


def reported_outcome(kind: EventType, bounce: BounceKind | None = None) -> Outcome | None:
    """Return the outcome that an event reports, or None if it reports none."""
    return Outcome.DELIVERED if bounce is BounceKind.AUTO_REPLY else OUTCOMES[kind]


def lower_than(outcome: Outcome) -> list[Outcome]:
    """Return the outcomes of a lower rank, which `outcome` may replace."""
    return [before for before in Outcome if RANK[before] < RANK[outcome]]
