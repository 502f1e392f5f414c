"""What people may know of their own mail: the answers that `accounts` asks for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, Max, Q

from accounts.mails import Mail, Progress
from accounts.models import User
from notifications import kinds
from notifications.models import Message
from notifications.outcomes import Outcome
from notifications.states import Status

_PROGRESS = {
    Status.QUEUED: Progress.WAITING,
    Status.SENDING: Progress.WAITING,
    # It may be out already; nobody can tell yet.
    Status.UNCERTAIN: Progress.WAITING,
    Status.SUPPRESSED: Progress.REFUSED,
    Status.EXPIRED: Progress.FAILED,
    Status.CANCELLED: Progress.FAILED,
    Status.DEAD: Progress.FAILED,
}
_PROGRESS_OF_SENT = {
    Outcome.UNKNOWN: Progress.SENT,
    Outcome.DEFERRED: Progress.SENT,
    Outcome.DELIVERED: Progress.DELIVERED,
    # It was read, and not liked.
    Outcome.COMPLAINED: Progress.DELIVERED,
    Outcome.BOUNCED: Progress.REFUSED,
    Outcome.REJECTED: Progress.REFUSED,
}

# Messages with a link that confirms an account's address; after a reset the new password does.
_CONFIRMING = [kinds.WELCOME.name, kinds.PASSWORD_RESET.name]
# A link may still leave, or may have left.
_WAITING = [Status.QUEUED, Status.SENDING, Status.UNCERTAIN]


def progress_of(status: Status, outcome: Outcome) -> Progress:
    """Return what a person is told of a message in a status and with an outcome."""
    if status is Status.DEAD and outcome is Outcome.BOUNCED:
        # The provider said in its answer that the address takes no email.
        return Progress.REFUSED
    return _PROGRESS_OF_SENT[outcome] if status is Status.SENT else _PROGRESS[status]


class Mailroom:
    """The PostOffice of `accounts`."""

    def progress(self, reference: UUID) -> Progress:
        found = Message.objects.filter(pk=reference).values_list("status", "outcome").first()
        return progress_of(Status(found[0]), Outcome(found[1])) if found else Progress.WAITING

    def history(self, user: User, limit: int) -> Sequence[Mail]:
        """Without the links to a new address: there is none where the address is somebody else's, and that would show.

        The account's page shows the new address all the same, as long as it waits.
        """
        told = Message.objects.filter(user=user).exclude(kind=kinds.ADDRESS_CHANGE.name)
        return [_mail(message) for message in told.order_by("-created_at")[:limit]]

    def links_sent(self, users: Sequence[User]) -> Mapping[int, datetime]:
        links = Message.objects.filter(user__in=users, kind__in=_CONFIRMING).order_by().values("user")
        welcomed = Q(kind=kinds.WELCOME.name, status=Status.SENT, to_address=F("user__email"))
        found = links.annotate(newest=Max("sent_at"), welcomes=Count("pk", filter=welcomed)).filter(welcomes__gt=0)
        settled = found.alias(waiting=Count("pk", filter=Q(status__in=_WAITING))).filter(waiting=0)
        return dict(settled.values_list("user", "newest"))


def _mail(message: Message) -> Mail:
    kind = kinds.KINDS.get(message.kind)
    return Mail(
        title=str(message.context.get("headline") or (kind and kind.title) or message.kind),
        address=message.to_address,
        written_at=message.created_at,
        progress=progress_of(Status(message.status), Outcome(message.outcome)),
    )
