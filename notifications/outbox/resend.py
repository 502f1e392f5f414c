"""Resend a message as a new one. The old one does not change."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from notifications.models import Message
from notifications.models.copies import copies_of, locked_copies_of
from notifications.models.transactions import short_transaction
from notifications.outbox.enqueue import Draft, enqueue_copy
from notifications.rules.states import Status


class Obstacle(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    UNCERTAIN = "uncertain"
    RESENT = "resent"  # another resend came first
    ANONYMIZED = "anonymized"
    WOULD_BE_SKIPPED = "would be skipped"


# In these states, the recipient may still get the email without a resend.
_OPEN = {
    Status.SENDING: Obstacle.SENDING,
    Status.UNCERTAIN: Obstacle.UNCERTAIN,
    Status.QUEUED: Obstacle.QUEUED,
}
_REASONS = {
    Obstacle.QUEUED: "It is still queued and will be sent. Wait, or retry it now.",
    Obstacle.SENDING: "A worker is sending it now. Wait for the result.",
    Obstacle.UNCERTAIN: "The provider may have accepted it. Settle it instead of resending it.",
    Obstacle.RESENT: "It has been resent meanwhile. Open the resend to see what happened to it.",
    Obstacle.ANONYMIZED: "It was anonymized: the recipient's address is erased.",
    Obstacle.WOULD_BE_SKIPPED: "It would not be sent.",
}


class NotResentError(ValueError):
    """Nothing was written. `obstacle` is the reason, `copy` the message to inspect instead."""

    def __init__(self, obstacle: Obstacle, copy: Message | None = None, reason: str = "") -> None:
        super().__init__(reason or _REASONS[obstacle])
        self.obstacle = obstacle
        self.copy = copy


@dataclass(frozen=True, kw_only=True)
class ResendState:
    """How many copies of an email exist, and what prevents another one."""

    copies: int
    obstacle: Obstacle | None
    at: Message | None = None

    @property
    def reason(self) -> str:
        return _REASONS[self.obstacle] if self.obstacle else ""


def resend_states(messages: Sequence[Message]) -> dict[UUID, ResendState]:
    return {message_id: _resend_state(message_id, copies) for message_id, copies in copies_of(messages).items()}


def _resend_state(message_id: UUID, copies: Sequence[Message]) -> ResendState:
    own = next((copy for copy in copies if copy.id == message_id), None)
    if own and own.anonymized_at:
        return ResendState(copies=len(copies), obstacle=Obstacle.ANONYMIZED, at=own)
    for status, obstacle in _OPEN.items():
        # Prefer to report the message itself.
        for copy in [*([own] if own else []), *copies]:
            if copy.status == status:
                return ResendState(copies=len(copies), obstacle=obstacle, at=copy)
    return ResendState(copies=len(copies), obstacle=None)


def resend(message: Message, request_id: UUID, *, copies: int = 1) -> Message:
    """Enqueue a new copy of the message and return it.

    `copies` is how many copies existed when the operator decided to resend: if another resend came first, this one
    writes nothing. The new message has the old address and context, and gets new tokens when it is sent. Raises
    NotResentError, UnknownKindError and BadAddressError.
    """
    require_resendable(resend_states([message])[message.id], copies)
    with short_transaction():
        locked = locked_copies_of(message)
        require_resendable(_resend_state(message.id, locked), copies)
        draft = Draft(
            kind=message.kind,
            to=message.to_address,
            user=message.user,
            context=message.context,
            key=f"resend:{message.id}:{request_id}",
        )
        new = enqueue_copy(draft, message)
    if not new.is_new:
        raise NotResentError(Obstacle.RESENT, new)
    return new


def require_resendable(state: ResendState, copies: int) -> None:
    """Raise NotResentError if there is an obstacle, or a new copy since the decision."""
    if state.obstacle:
        raise NotResentError(state.obstacle, state.at)
    if state.copies != copies:
        raise NotResentError(Obstacle.RESENT)
