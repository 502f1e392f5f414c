"""Make a new message out of an old one; the old one stays what it was."""

from uuid import UUID

from notifications.models import Message
from notifications.outbox.enqueue import Draft, enqueue


class ForgottenError(ValueError):
    """Nobody knows any more to whom the message was."""


def resend(message: Message, request_id: UUID) -> Message | None:
    """Enqueue the message once more and return the new one; None if this very request has done it already.

    The new message has the old one's address and context, and tokens of its own, made when it is sent: only if the
    address still is the account's. Raises ForgottenError, UnknownKindError and BadAddressError.
    """
    if message.forgotten_at:
        raise ForgottenError("It was forgotten: nobody knows any more to whom it was.")
    return enqueue(
        Draft(
            kind=message.kind,
            to=message.to_address,
            user=message.user,
            context=message.context,
            key=f"resend:{message.id}:{request_id}",
            resend_of=message,
        )
    )
