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
    BOUNCED = "bounced", _("Bounced")  # it will not be delivered; how final that is for the address, BounceKind says
    COMPLAINED = "complained", _("Complained")
    NOT_SPAM = "not spam", _("Not spam")  # the recipient took a complaint back
    REJECTED = "rejected", _("Rejected")  # the provider itself dropped it after it had taken it
    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")


class BounceKind(TextChoices):
    HARD = "hard", _("Hard")  # there is no such mailbox, or it will never take our mail
    SOFT = "soft", _("Soft")  # full, busy …: it may work another day
    BLOCKED = "blocked", _("Blocked")  # refused for our name or this email's content: it says nothing of the address
    AUTO_REPLY = "auto-reply", _("Auto-reply")  # somebody is out of office: the mail arrived


RANK = {
    Outcome.UNKNOWN: 0,
    Outcome.DEFERRED: 1,
    Outcome.DELIVERED: 2,
    # Final. A mailbox may accept a mail and bounce it later, and only what was delivered can be complained about.
    Outcome.REJECTED: 3,
    Outcome.BOUNCED: 4,
    Outcome.COMPLAINED: 5,
}

# None: the event says nothing new about where the mail is.
MEANS: dict[EventType, Outcome | None] = {
    EventType.ACCEPTED: None,  # that is our status, not the recipient's side
    EventType.DEFERRED: Outcome.DEFERRED,
    EventType.DELIVERED: Outcome.DELIVERED,
    EventType.BOUNCED: Outcome.BOUNCED,
    EventType.COMPLAINED: Outcome.COMPLAINED,
    EventType.NOT_SPAM: None,  # it was delivered, and stays complained about in the history
    EventType.REJECTED: Outcome.REJECTED,
    EventType.UNSUBSCRIBED: None,  # about the person's wish, not about this mail
}


def meant(kind: EventType, bounce: BounceKind | None = None) -> Outcome | None:
    """Return the outcome that an event reports, or None if it reports none."""
    return Outcome.DELIVERED if bounce is BounceKind.AUTO_REPLY else MEANS[kind]


def lower_than(outcome: Outcome) -> list[Outcome]:
    """Return the outcomes that `outcome` may replace; every other one outranks it."""
    return [before for before in Outcome if RANK[before] < RANK[outcome]]
