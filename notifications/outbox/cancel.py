"""End a message that no provider has been called for."""

from uuid import UUID

from notifications.models import Message, transitions
from notifications.rules.states import Event


def cancel(message_id: UUID, reason: str = "cancelled by the application") -> bool:
    """Cancel a message and return True; False if it has been handed over, or has ended.

    A worker that holds it loses its claim, and with it the right to hand it over.
    """
    waiting = Message.objects.filter(id=message_id, handed_over_at=None)
    return bool(transitions.apply(Event.CANCELLED, waiting, status_reason=reason))
