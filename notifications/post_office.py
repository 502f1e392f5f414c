"""What people may know of their own mail: the answers that `accounts` asks for."""

from collections.abc import Sequence
from uuid import UUID

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


def progress_of(status: Status, outcome: Outcome) -> Progress:
    """Return what a person is told of a message in a status and with an outcome."""
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


def _mail(message: Message) -> Mail:
    kind = kinds.KINDS.get(message.kind)
    return Mail(
        title=str(message.context.get("headline") or (kind and kind.title) or message.kind),
        address=message.to_address,
        written_at=message.created_at,
        progress=progress_of(Status(message.status), Outcome(message.outcome)),
    )
