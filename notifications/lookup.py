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
from notifications.outbox import brake_queue
from notifications.providers import registry
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status
from notifications.rules.suppression import Reason


class Progress(StrEnum):
    """How far an email has come, as shown to the user who waits for it."""

    WAITING = "waiting"
    DELAYED = "delayed"  # still waiting, longer than usual
    UNCLEAR = "unclear"  # a provider may have accepted it
    SENT = "sent"  # a provider accepted it
    DEFERRED = "deferred"  # the mailbox asks to try later
    UNREPORTED = "unreported"  # a provider accepted it; no report has come for long, or will come
    DELIVERED = "delivered"
    REFUSED = "refused"  # the mailbox rejects it: the user needs another address
    UNSENDABLE = "unsendable"  # the address is suppressed: the user needs another one
    FAILED = "failed"  # it was not sent and will not be


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


# Normally, email is sent within seconds and reported within about a minute.
USUAL_S = 30.0
REPORTED_S = 300.0

_PROGRESS = {
    Status.QUEUED: Progress.WAITING,
    Status.SENDING: Progress.WAITING,
    Status.UNCERTAIN: Progress.UNCLEAR,
    Status.SUPPRESSED: Progress.UNSENDABLE,
    Status.EXPIRED: Progress.FAILED,
    Status.CANCELLED: Progress.FAILED,
    Status.DEAD: Progress.FAILED,
}
_PROGRESS_OF_SENT = {
    Outcome.UNKNOWN: Progress.SENT,
    Outcome.DEFERRED: Progress.DEFERRED,
    Outcome.DELIVERED: Progress.DELIVERED,
    # The recipient has read it, and complained.
    Outcome.COMPLAINED: Progress.DELIVERED,
    Outcome.BOUNCED: Progress.REFUSED,
    Outcome.REJECTED: Progress.REFUSED,
}

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
    found = Message.objects.filter(pk=message_id).values_list("status", "outcome", "provider", _AGE_S).first()
    return _progress(*found) if found else Progress.WAITING


def history(user: AbstractBaseUser, limit: int) -> Sequence[HistoryEntry]:
    """Return the newest messages to a user, the newest first. Only of the kinds that are `in_history`."""
    hidden = [kind.name for kind in KINDS.values() if not kind.in_history]
    shown = Message.objects.filter(user=user.pk).exclude(kind__in=hidden).annotate(age_s=_AGE_S)
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
    # No message of this kind was ever written for these.
    return users.exclude(Exists(Message.objects.filter(user=OuterRef("pk"), kind=kind)))


def progress_of(status: Status, outcome: Outcome, *, age_s: float = 0.0, reports: bool = True) -> Progress:
    # `age_s` counts from when it was sent, or else written; `reports`: its provider reports deliveries.
    if status is Status.DEAD and outcome is Outcome.BOUNCED:
        # The provider answered that the address accepts no email.
        return Progress.REFUSED
    found = _PROGRESS_OF_SENT[outcome] if status is Status.SENT else _PROGRESS[status]
    if found is Progress.WAITING and age_s > USUAL_S:
        return Progress.DELAYED
    if found is Progress.SENT and (not reports or age_s > REPORTED_S):
        return Progress.UNREPORTED
    return found


# Seconds since a message was sent or else written, by the clock that wrote both.
_AGE_S = Extract(Now() - Coalesce("sent_at", "created_at"), "epoch")


def _progress(status: str, outcome: str, provider: str, age_s: float) -> Progress:
    return progress_of(Status(status), Outcome(outcome), age_s=float(age_s), reports=registry.reports(provider))


def _entry(message: Any) -> HistoryEntry:
    kind = KINDS.get(message.kind)
    return HistoryEntry(
        title=str(message.context.get("headline") or (kind and kind.title) or message.kind),
        address=message.to_address,
        written_at=message.created_at,
        progress=_progress(message.status, message.outcome, message.provider, message.age_s),
    )
