"""What people may know of their own mail: the answers that `accounts` asks for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, Max, Q, When
from django.db.models.functions import Coalesce, Extract, Now

from accounts import emails
from accounts.mails import Mail, Progress, Refusal
from accounts.models import User
from notifications import kinds
from notifications.models import Message, Suppression
from notifications.outbox import brake_queue
from notifications.providers import registry
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status
from notifications.rules.suppression import Reason

# An email that is healthy leaves within seconds, and is reported within a minute or so.
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
    # It was read, and not liked.
    Outcome.COMPLAINED: Progress.DELIVERED,
    Outcome.BOUNCED: Progress.REFUSED,
    Outcome.REJECTED: Progress.REFUSED,
}

# The one first that a person can do least about. Who only left the news gets all other email.
_REFUSALS = {
    Reason.COMPLAINT: Refusal.COMPLAINED,
    Reason.BY_HAND: Refusal.BLOCKED,
    Reason.HARD_BOUNCE: Refusal.BOUNCED,
    Reason.SOFT_BOUNCES: Refusal.BOUNCED,
}

# Messages with a link that confirms an account's address; after a reset the new password does.
_CONFIRMING = [emails.WELCOME.name, emails.PASSWORD_RESET.name]
# Our own decision about a sign-up in a flood: nothing will be sent for it any more.
_DROPPED = Q(status=Status.CANCELLED, status_reason__in=[brake_queue.FULL, brake_queue.DROPPED])
# A link may still leave, or may have left.
_WAITING = [Status.QUEUED, Status.SENDING, Status.UNCERTAIN]


def progress_of(status: Status, outcome: Outcome, *, age_s: float = 0.0, reports: bool = True) -> Progress:
    """Return what a person is told of a message. Pure.

    `age_s` counts from when it was sent, or else written; `reports`: its provider tells us of deliveries.
    """
    if status is Status.DEAD and outcome is Outcome.BOUNCED:
        # The provider said in its answer that the address takes no email.
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


class Mailroom:
    """The PostOffice of `accounts`."""

    def progress(self, reference: UUID) -> Progress:
        found = Message.objects.filter(pk=reference).values_list("status", "outcome", "provider", _AGE_S).first()
        return _progress(*found) if found else Progress.WAITING

    def history(self, user: User, limit: int) -> Sequence[Mail]:
        """Without the links to a new address: there is none where the address is somebody else's, and that would show.

        The account's page shows the new address all the same, as long as it waits.
        """
        told = Message.objects.filter(user=user).exclude(kind=emails.ADDRESS_CHANGE.name)
        return [_mail(message) for message in told.annotate(age_s=_AGE_S).order_by("-created_at")[:limit]]

    def refusal(self, user: User) -> Refusal | None:
        reasons = set(Suppression.objects.in_force([user.email]).values_list("reason", flat=True))
        return next((refusal for reason, refusal in _REFUSALS.items() if reason in reasons), None)

    def links_sent(self, users: Sequence[User]) -> Mapping[int, datetime]:
        links = Message.objects.filter(user__in=users, kind__in=_CONFIRMING).order_by().values("user")
        # What the bounce brake dropped would not have left later than that.
        ended = Coalesce("sent_at", Case(When(_DROPPED, then=F("expires_at"))))
        welcomed = Q(Q(status=Status.SENT) | _DROPPED, kind=emails.WELCOME.name, to_address=F("user__email"))
        found = links.annotate(newest=Max(ended), welcomes=Count("pk", filter=welcomed)).filter(welcomes__gt=0)
        settled = found.alias(waiting=Count("pk", filter=Q(status__in=_WAITING))).filter(waiting=0)
        return dict(settled.values_list("user", "newest"))


def _mail(message: Any) -> Mail:
    kind = kinds.KINDS.get(message.kind)
    return Mail(
        title=str(message.context.get("headline") or (kind and kind.title) or message.kind),
        address=message.to_address,
        written_at=message.created_at,
        progress=_progress(message.status, message.outcome, message.provider, message.age_s),
    )
