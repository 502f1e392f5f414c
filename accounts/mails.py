"""What became of the mail that accounts has caused: asked of whoever sends it, without knowing who that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from accounts.models import User


class Progress(StrEnum):
    """How far an email has come, as the person who waits for it sees it."""

    WAITING = "waiting"
    DELAYED = "delayed"  # still waiting, longer than usual
    UNCLEAR = "unclear"  # a provider may have it; that is being found out
    SENT = "sent"  # a provider has it
    DEFERRED = "deferred"  # the mailbox has asked to wait
    UNREPORTED = "unreported"  # a provider has it, and no report will come or has come for long
    DELIVERED = "delivered"
    REFUSED = "refused"  # the mailbox does not take it: another address is needed
    UNSENDABLE = "unsendable"  # nothing is sent to this address: another one is needed
    FAILED = "failed"  # it was not sent and will not be


class Refusal(StrEnum):
    """Why an address gets no email at the moment, as its owner sees it."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    BLOCKED = "blocked"  # an operator has decided it


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail of a person's history."""

    title: str
    address: str
    written_at: datetime
    progress: Progress


class PostOffice(Protocol):
    def progress(self, reference: UUID) -> Progress:
        """Return how far the mail with this reference has come; one that nobody knows is waiting."""

    def history(self, user: User, limit: int) -> Sequence[Mail]:
        """Return the newest mails to a person, the newest first."""

    def refusal(self, user: User) -> Refusal | None:
        """Return why the account's address gets no email, None if it does."""

    def links_sent(self, users: Sequence[User]) -> Mapping[int, datetime]:
        """Return, by user, when the newest link to confirm the account's address was sent.

        A link that the bounce brake dropped counts as sent when its time was over. Without those who were sent none,
        and those for whom one is still waiting.
        """


class _Closed:
    """Until somebody sends mail."""

    def progress(self, reference: UUID) -> Progress:
        return Progress.WAITING

    def history(self, user: User, limit: int) -> Sequence[Mail]:
        return ()

    def refusal(self, user: User) -> Refusal | None:
        return None

    def links_sent(self, users: Sequence[User]) -> Mapping[int, datetime]:
        return {}


_office: PostOffice = _Closed()


def office() -> PostOffice:
    return _office


def appoint(sender: PostOffice) -> None:
    """Name who sends the mail. Called once, while the applications are made ready."""
    global _office  # noqa: PLW0603 - one for the process, as a signal's receivers are
    _office = sender
