"""End a message that no provider has been called for."""

from uuid import UUID

from notifications.models import Message
from notifications.rules import states
from notifications.rules.states import Event


def cancel(message_id: UUID, reason: str = "cancelled by the application") -> bool:
    """Cancel a message and return True; False if it has been handed over, or has ended.

    A worker that holds it loses its claim, and with it the right to hand it over.
    """
    waiting = Message.objects.filter(id=message_id, status__in=states.sources(Event.CANCELLED), handed_over_at=None)
    ended = {"status_reason": reason, "lease_token": None, "lease_until": None, "settle_at": None}
    return bool(waiting.update(status=states.target(Event.CANCELLED), **ended))
