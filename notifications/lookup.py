"""Answer a product's questions about messages, for its users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, QuerySet, When
from django.db.models.functions import Coalesce, Extract, Lower, Now

from notifications.kinds import KINDS
from notifications.models import Message, Suppression
from notifications.models.progress import AGE_S, progress_from
from notifications.outbox import brake_queue
from notifications.rules.progress import Progress
from notifications.rules.states import Status
from notifications.rules.suppression import Reason


class Refusal(StrEnum):
    """Why an address gets no email at the moment, as shown to its owner."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    BLOCKED = "blocked"  # by an operator


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One email in a user's history."""

    title: str
    address: str
    written_at: datetime
    progress: Progress


@dataclass(frozen=True, kw_only=True)
class AwaitedEmail:
    """An email that a user waits for, or its newest resend. `age_s`: since it was written.

    `is_cancelled`: the application, an operator or the relevance check has decided that it is not sent.
    """

    id: UUID | None = None
    progress: Progress = Progress.WAITING
    address: str = ""
    kind: str = ""
    is_cancelled: bool = False
    age_s: float = 0.0


# The reason that the user can do least about comes first. Users who unsubscribed get all email but bulk.
_REFUSALS = {
    Reason.COMPLAINT: Refusal.COMPLAINED,
    Reason.BY_HAND: Refusal.BLOCKED,
    Reason.HARD_BOUNCE: Refusal.BOUNCED,
    Reason.SOFT_BOUNCES: Refusal.BOUNCED,
}

# Dropped in a flood of sign-ups, and never sent.
_DROPPED = Q(status=Status.CANCELLED, status_reason__in=[brake_queue.FULL, brake_queue.DROPPED])
# May still be sent, or may have been.
_WAITING = [Status.QUEUED, Status.SENDING, Status.UNCERTAIN]

U = TypeVar("U", bound=AbstractBaseUser)


def progress(message_id: UUID) -> Progress:
    # An unknown message is waiting.
    return awaited(message_id).progress


def awaited(message_id: UUID, *, resends: bool = False) -> AwaitedEmail:
    # `resends`: the newest one counts. An unknown message is waiting.
    resent = Message.objects.filter(resend_of=message_id)
    return (_awaited(resent) if resends else None) or _awaited(Message.objects.filter(pk=message_id)) or AwaitedEmail()


def history(user: AbstractBaseUser, limit: int) -> Sequence[HistoryEntry]:
    """Return the newest messages to a user, the newest first. Only of the kinds that are `in_history`."""
    hidden = [kind.name for kind in KINDS.values() if not kind.in_history]
    shown = Message.objects.filter(user=user.pk).exclude(kind__in=hidden).annotate(age_s=AGE_S)
    return [_entry(message) for message in shown.order_by("-created_at")[:limit]]


def refusal(address: str) -> Refusal | None:
    reasons = set(Suppression.objects.in_force([address]).values_list("reason", flat=True))
    return next((refusal for reason, refusal in _REFUSALS.items() if reason in reasons), None)


def last_sent(users: Sequence[AbstractBaseUser], kinds: Sequence[str]) -> Mapping[Any, datetime]:
    """Return, by user, when the newest message of these kinds was sent.

    A message that the bounce brake dropped counts as sent at its expiry. Users who were sent none at their present
    address, and users for whom one is waiting, are left out.
    """
    present = Lower(f"user__{get_user_model().get_email_field_name()}")
    sent = Message.objects.filter(user__in=[user.pk for user in users], kind__in=kinds).order_by().values("user")
    ended = Coalesce("sent_at", Case(When(_DROPPED, then=F("expires_at"))))
    there = Q(Q(status=Status.SENT) | _DROPPED, to_address=present)
    found = sent.annotate(newest=Max(ended), count=Count("pk", filter=there)).filter(count__gt=0)
    settled = found.alias(waiting=Count("pk", filter=Q(status__in=_WAITING))).filter(waiting=0)
    return dict(settled.values_list("user", "newest"))


def never_written_to(users: "QuerySet[U]", kind: str) -> "QuerySet[U]":
    # No message of this kind is kept for these: docs/reference/data-retention.md.
    return users.exclude(Exists(Message.objects.filter(user=OuterRef("pk"), kind=kind)))


def _awaited(messages: "QuerySet[Message]") -> AwaitedEmail | None:
    written_s = Extract(Now() - F("created_at"), "epoch")
    names = ("id", "to_address", "kind", "status", "outcome", "provider")
    # All of the few: sorted by the server, it could read the index of times from its end.
    found = messages.order_by().values_list(*names, AGE_S, written_s)
    newest = min(found, key=lambda row: row[-1], default=None)
    if newest is None:
        return None
    message_id, address, kind, *facts, age_s = newest
    return AwaitedEmail(
        id=message_id,
        address=address,
        kind=kind,
        progress=progress_from(*facts),
        is_cancelled=facts[0] == Status.CANCELLED,
        age_s=float(age_s),
    )


def _entry(message: Any) -> HistoryEntry:
    kind = KINDS.get(message.kind)
    return HistoryEntry(
        title=str(message.context.get("headline") or (kind and kind.title) or message.kind),
        address=message.to_address,
        written_at=message.created_at,
        progress=progress_from(message.status, message.outcome, message.provider, message.age_s),
    )
