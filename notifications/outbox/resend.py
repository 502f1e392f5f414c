"""Resend a message as a new one. The old one does not change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from django.db.models.functions import Now

from notifications.models import Message, MessageContent
from notifications.models.copies import copies_of, locked_copies_of
from notifications.models.transactions import short_transaction
from notifications.outbox.draft import Draft
from notifications.outbox.enqueue import enqueue_copy
from notifications.rules.content import Content, unpacked
from notifications.rules.states import Status


class Obstacle(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    UNCERTAIN = "uncertain"
    RESENT = "resent"  # another resend came first
    ANONYMIZED = "anonymized"
    PURGED = "purged"  # its files, further recipients or text were deleted


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
    Obstacle.PURGED: "Its files, further recipients or text were deleted after KEEP_CONTENT_DAYS.",
}


class NotResentError(ValueError):
    """Nothing was written. `obstacle` is the reason, `copy` the message to inspect instead."""

    def __init__(self, obstacle: Obstacle, copy: Message | None = None) -> None:
        super().__init__(_REASONS[obstacle])
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
    purged = purged_among(messages)
    return {
        message_id: _resend_state(message_id, copies, is_purged=message_id in purged)
        for message_id, copies in copies_of(messages).items()
    }


def purged_among(messages: Sequence[Message]) -> set[UUID]:
    """Return the ids of those whose stored content was deleted."""
    ids = {message.id for message in messages if message.has_content}
    if not ids:
        return ids
    kept = MessageContent.objects.filter(message__in=ids, packed__isnull=False)
    return ids - set(kept.values_list("message_id", flat=True))


def _resend_state(message_id: UUID, copies: Sequence[Message], *, is_purged: bool) -> ResendState:
    own = next((copy for copy in copies if copy.id == message_id), None)
    if own and own.anonymized_at:
        return ResendState(copies=len(copies), obstacle=Obstacle.ANONYMIZED, at=own)
    for status, obstacle in _OPEN.items():
        # Prefer to report the message itself.
        for copy in [*([own] if own else []), *copies]:
            if copy.status == status:
                return ResendState(copies=len(copies), obstacle=obstacle, at=copy)
    return ResendState(copies=len(copies), obstacle=Obstacle.PURGED if is_purged else None)


def resend(message: Message, request_id: UUID, *, copies: int = 1, to: str = "") -> Message:
    """Enqueue a new copy of the message and return it.

    `copies` is how many copies existed when the operator decided to resend: if another resend came first, this one
    writes nothing. The new message has the old context and content, and the old address unless `to` is another; it gets
    new tokens when it is sent. Raises NotResentError, UnknownKindError and BadAddressError.
    """
    require_resendable(resend_states([message])[message.id], copies)
    with short_transaction():
        locked = locked_copies_of(message)
        require_resendable(_resend_state(message.id, locked, is_purged=False), copies)
        content = _kept_content(message)
        if content and to not in {"", message.to_address}:
            content = replace(content, to_name="")
        draft = Draft(
            kind=message.kind,
            to=to or message.to_address,
            user=message.user,
            context=message.context,
            key=f"resend:{message.id}:{request_id}",
        )
        new = enqueue_copy(draft, message, content)
    if not new.is_new:
        raise NotResentError(Obstacle.RESENT, new)
    return new


def _kept_content(message: Message) -> Content | None:
    # Raises NotResentError.
    if not message.has_content:
        return None
    packed = MessageContent.objects.filter(message=message.id).values_list("packed", flat=True).first()
    if packed is None:
        raise NotResentError(Obstacle.PURGED)
    return unpacked(bytes(packed))


def hold(message: Message, seconds: float) -> None:
    # In the transaction that wrote it: it is due that much later. The bounce brake may hold it even longer.
    later = Now() + timedelta(seconds=seconds)
    Message.objects.filter(id=message.id, status=Status.QUEUED, slowed_until=None).update(
        due_at=later, relay_after=later
    )


def require_resendable(state: ResendState, copies: int) -> None:
    """Raise NotResentError if there is an obstacle, or a new copy since the decision."""
    if state.obstacle:
        raise NotResentError(state.obstacle, state.at)
    if state.copies != copies:
        raise NotResentError(Obstacle.RESENT)
