"""Cancel messages before a provider is called."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from notifications.models import Message, transitions
from notifications.models.transactions import short_transaction
from notifications.rules.states import Event

CANCELLED_BY = "cancelled by {who}: {why}"
BY_APPLICATION = "cancelled by the application"


def cancel(key_or_id: str | UUID, reason: str = BY_APPLICATION) -> bool:
    """Cancel a message; return False if that is too late or it does not exist.

    By its idempotency key, a text, or by its id, a UUID. A worker that holds the message loses its claim and cannot
    hand it over.
    """
    return bool(_cancel(by_key_or_id(key_or_id), reason))


def by_key_or_id(key_or_id: str | UUID) -> QuerySet[Message]:
    # A key may look like an id, so the type decides.
    if isinstance(key_or_id, UUID):
        return Message.objects.filter(id=key_or_id)
    return Message.objects.filter(idempotency_key=key_or_id)


def cancel_many(message_ids: Sequence[UUID], reason: str) -> list[UUID]:
    # Returns those that were cancelled.
    with short_transaction():
        # In order of id, like all code that locks several messages.
        locked = Message.objects.filter(id__in=message_ids).order_by("id").select_for_update(of=("self",))
        return _cancel(Message.objects.filter(id__in=list(locked.values_list("id", flat=True))), reason)


def _cancel(messages: QuerySet[Message], reason: str) -> list[UUID]:
    # Not handed over, and no longer held by the bounce brake.
    changes = {"status_reason": reason[:200], "slowed_until": None, "slowed_for": ""}
    return transitions.apply(Event.CANCELLED, messages.filter(handed_over_at=None), **changes)
