"""Cancel a message before a provider is called."""

from uuid import UUID

from notifications.models import Message, transitions
from notifications.rules.states import Event


def cancel(message_id: UUID, reason: str = "cancelled by the application") -> bool:
    """Cancel a message; return False if it was handed over or has ended.

    A worker that holds the message loses its claim and cannot hand it over.
    """
    waiting = Message.objects.filter(id=message_id, handed_over_at=None)
    return bool(transitions.apply(Event.CANCELLED, waiting, status_reason=reason[:200]))
