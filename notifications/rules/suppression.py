from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from notifications.rules.outcomes import BounceKind, EventType
from notifications.rules.states import Stream


class Reason(TextChoices):
    HARD_BOUNCE = "hard bounce", _("Hard bounce")
    COMPLAINT = "complaint", _("Complaint")
    SOFT_BOUNCES = "soft bounces", _("Soft bounces")
    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
    BY_HAND = "by hand", _("By hand")


#: A delivered message ends these.
BOUNCES = frozenset({Reason.HARD_BOUNCE, Reason.SOFT_BOUNCES})
DECIDED_BY_RECIPIENT = frozenset({Reason.COMPLAINT, Reason.UNSUBSCRIBED})


@dataclass(frozen=True, kw_only=True)
class ActiveSuppression:
    """A suppression in force.

    `cooled_off`: its cool-off, counted from its beginning or the last recheck, is over. `recheck_id` is the last
    message that was sent to test whether the address accepts email again.
    """

    reason: Reason
    cooled_off: bool
    recheck_id: UUID | None = None


class SuppressionCheck(Enum):
    ALLOWED = "allowed"
    RECHECK = "recheck"  # sent as the one message that tests whether the address accepts email again
    BLOCKED = "blocked"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """The facts about a message. `message_id` is None until it has a row."""

    stream: Stream
    may_recheck: bool
    message_id: UUID | None = None


def check_suppression(suppression: ActiveSuppression, message: Candidate) -> SuppressionCheck:
    # A reader who unsubscribed gets everything but bulk email. A full mailbox must not lock its owner out: after a
    # cool-off, one message of a kind that may recheck is sent to an address with soft bounces. The owner of an address
    # may ask for a recheck too (outbox/recheck.py), also after a hard bounce. It stays the recheck in all its attempts.
    if suppression.reason is Reason.UNSUBSCRIBED and message.stream is not Stream.BULK:
        return SuppressionCheck.ALLOWED
    is_same = message.message_id is not None and message.message_id == suppression.recheck_id
    is_due = suppression.reason is Reason.SOFT_BOUNCES and message.may_recheck and suppression.cooled_off
    if is_due or (suppression.reason in BOUNCES and is_same):
        return SuppressionCheck.RECHECK
    return SuppressionCheck.BLOCKED


def blocking_reason(suppressions: Iterable[ActiveSuppression], message: Candidate) -> Reason | None:
    return next(
        (one.reason for one in suppressions if check_suppression(one, message) is SuppressionCheck.BLOCKED), None
    )


def is_recheck(suppressions: Iterable[ActiveSuppression], message: Candidate) -> bool:
    return any(check_suppression(one, message) is SuppressionCheck.RECHECK for one in suppressions)


def reasons_to_lift(reasons: Iterable[Reason], stream: Stream) -> set[Reason]:
    """Return which suppressions a resend would have to lift; none if the recipient decided one."""
    blocking = {reason for reason in reasons if not (reason is Reason.UNSUBSCRIBED and stream is not Stream.BULK)}
    return set() if blocking & DECIDED_BY_RECIPIENT else blocking


def may_ask_for_recheck(in_force: Iterable[tuple[Reason, bool]]) -> bool:
    """Decide whether an address's owner may have it rechecked.

    `in_force` has the reason of each suppression, and whether it was rechecked within a day.
    """
    # A reader who unsubscribed still gets such email.
    found = [(reason, was_rechecked) for reason, was_rechecked in in_force if reason is not Reason.UNSUBSCRIBED]
    return bool(found) and all(reason in BOUNCES and not was_rechecked for reason, was_rechecked in found)


def reason_for(
    kind: EventType, bounce: BounceKind | None, *, soft_bounces: int, soft_bounce_limit: int
) -> Reason | None:
    # `soft_bounces` includes this event.
    if kind is EventType.COMPLAINED:
        return Reason.COMPLAINT
    if kind is EventType.UNSUBSCRIBED:
        return Reason.UNSUBSCRIBED
    if bounce is BounceKind.HARD:
        return Reason.HARD_BOUNCE
    if bounce is BounceKind.SOFT and soft_bounces >= soft_bounce_limit:
        return Reason.SOFT_BOUNCES
    return None
