"""When an address gets no more mail, and which mail it still gets. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from django.db.models import TextChoices

from notifications.rules.outcomes import BounceKind, EventType
from notifications.rules.states import Stream


class Reason(TextChoices):
    HARD_BOUNCE = "hard bounce"
    COMPLAINT = "complaint"
    SOFT_BOUNCES = "soft bounces"
    UNSUBSCRIBED = "unsubscribed"
    BY_HAND = "by hand"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A suppression in force. `rested`: its cool-off is over, counted from its beginning or from the last probe.

    `recheck_id` is the message that was let through last.
    """

    reason: Reason
    rested: bool
    recheck_id: UUID | None = None


class Pass(Enum):
    """What the list says to one message."""

    FREE = "free"
    PROBE = "probe"  # it may go to see whether the address takes mail again; only one may
    BLOCKED = "blocked"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What has to be known of a message to judge it. A message that has no row yet has no id."""

    stream: Stream
    may_probe: bool
    message_id: UUID | None = None


def judge(standing: Standing, message: Candidate) -> Pass:
    """Return what one suppression says to one message.

    Who unsubscribed gets no bulk mail and everything else. People must not be locked out by a mailbox that was full, so
    a message of a kind that may probe goes to an address with soft bounces after a cool-off, and goes on being the
    probe through all its attempts.
    """
    if standing.reason is Reason.UNSUBSCRIBED and message.stream is not Stream.BULK:
        return Pass.FREE
    is_probe = message.message_id is not None and message.message_id == standing.recheck_id
    if standing.reason is Reason.SOFT_BOUNCES and message.may_probe and (standing.rested or is_probe):
        return Pass.PROBE
    return Pass.BLOCKED


def why_blocked(standings: Iterable[Standing], message: Candidate) -> Reason | None:
    """Return the first reason that keeps a message back, or None if it may go (as a probe, perhaps)."""
    return next((one.reason for one in standings if judge(one, message) is Pass.BLOCKED), None)


def probes(standings: Iterable[Standing], message: Candidate) -> bool:
    """True if a message that is not blocked goes as a probe."""
    return any(judge(one, message) is Pass.PROBE for one in standings)


def reason_for(
    kind: EventType, bounce: BounceKind | None, *, soft_bounces: int, soft_bounce_limit: int
) -> Reason | None:
    """Return why an event suppresses its address, if it does. `soft_bounces` counts this one and those before it."""
    if kind is EventType.COMPLAINED:
        return Reason.COMPLAINT
    if kind is EventType.UNSUBSCRIBED:
        return Reason.UNSUBSCRIBED
    if bounce is BounceKind.HARD:
        return Reason.HARD_BOUNCE
    if bounce is BounceKind.SOFT and soft_bounces >= soft_bounce_limit:
        return Reason.SOFT_BOUNCES
    return None
