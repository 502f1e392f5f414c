"""When an address gets no more mail, and which mail it still gets. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import TextChoices

from notifications.outcomes import BounceKind, FeedbackKind
from notifications.states import Stream


class Reason(TextChoices):
    HARD_BOUNCE = "hard bounce"
    COMPLAINT = "complaint"
    SOFT_BOUNCES = "soft bounces"
    UNSUBSCRIBED = "unsubscribed"
    BY_HAND = "by hand"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A suppression as it stands at a moment. `rested_for`: since it began, or since the last probe."""

    reason: Reason
    rested_for: timedelta


def blocks(standing: Standing, stream: Stream, *, may_probe: bool, cool_off: timedelta) -> bool:
    """True if the suppression keeps a message of `stream` back.

    Who unsubscribed gets no bulk mail and everything else. An address with soft bounces may get one message of a kind
    that may probe once it has rested for `cool_off`: people must not be locked out by a mailbox that was full.
    """
    if standing.reason is Reason.UNSUBSCRIBED:
        return stream is Stream.BULK
    if standing.reason is Reason.SOFT_BOUNCES and may_probe:
        return standing.rested_for < cool_off
    return True


def reason_for(
    kind: FeedbackKind, bounce: BounceKind | None, *, soft_bounces: int, soft_bounce_limit: int
) -> Reason | None:
    """Return why an event suppresses its address, if it does. `soft_bounces` counts this one and those before it."""
    if kind is FeedbackKind.COMPLAINED:
        return Reason.COMPLAINT
    if kind is FeedbackKind.UNSUBSCRIBED:
        return Reason.UNSUBSCRIBED
    if kind is FeedbackKind.BOUNCED and bounce is BounceKind.HARD:
        return Reason.HARD_BOUNCE
    if kind is FeedbackKind.BOUNCED and bounce is BounceKind.SOFT and soft_bounces >= soft_bounce_limit:
        return Reason.SOFT_BOUNCES
    return None
