"""Map a provider's events to the outcome of a message. Pure.

Events arrive late, twice and out of order, so an outcome moves by rank and never by arrival.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Outcome(TextChoices):
    UNKNOWN = "unknown", pgettext_lazy("outcome", "Unknown")
    DEFERRED = "deferred", pgettext_lazy("outcome", "Deferred")
    DELIVERED = "delivered", pgettext_lazy("outcome", "Delivered")
    BOUNCED = "bounced", pgettext_lazy("outcome", "Bounced")
    COMPLAINED = "complained", pgettext_lazy("outcome", "Complained")
    REJECTED = "rejected", pgettext_lazy("outcome", "Rejected")


class EventType(TextChoices):
    """What a provider's event says about one message."""

    ACCEPTED = "accepted", pgettext_lazy("outcome", "Accepted")
    DEFERRED = "deferred", pgettext_lazy("outcome", "Deferred")
    DELIVERED = "delivered", pgettext_lazy("outcome", "Delivered")
    # Not delivered. BounceKind says whether the address is to blame.
    BOUNCED = "bounced", pgettext_lazy("outcome", "Bounced")
    COMPLAINED = "complained", pgettext_lazy("outcome", "Complained")
    NOT_SPAM = "not spam", pgettext_lazy("outcome", "Not spam")  # the recipient withdrew a complaint
    REJECTED = "rejected", pgettext_lazy("outcome", "Rejected")  # the provider accepted it, then dropped it
    UNSUBSCRIBED = "unsubscribed", pgettext_lazy("outcome", "Unsubscribed")


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
    EventType.UNSUBSCRIBED: None,  # about the recipient's subscription, not this email
}


def reported_outcome(kind: EventType, bounce: BounceKind | None = None) -> Outcome | None:
    return Outcome.DELIVERED if bounce is BounceKind.AUTO_REPLY else OUTCOMES[kind]


def lower_than(outcome: Outcome) -> list[Outcome]:
    # `outcome` may replace these.
    return [before for before in Outcome if RANK[before] < RANK[outcome]]
