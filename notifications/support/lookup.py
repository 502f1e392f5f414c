"""Find messages by an id, an idempotency key, a provider's id or an address."""

from uuid import UUID

from django.db.models import DateTimeField
from django.db.models.functions import Coalesce

from notifications.models import DeliveryAttempt, Message
from notifications.rules.text import one_form

#: The most messages that one provider's id names.
MOST_NAMED = 10


class NoMessageError(LookupError):
    """No message has this id, key or address."""


class AmbiguousError(LookupError):
    """Several messages have this provider's id."""

    def __init__(self, ids: list[UUID]) -> None:
        super().__init__(ids)
        self.ids = ids


def find_messages(text: str, *, limit: int) -> list[Message]:
    """Return the message with this id or key, or the newest messages to this address.

    Raises NoMessageError and AmbiguousError.
    """
    term = one_form(text)
    found = _by_id(term) or _by_key(term) or _by_provider_id(term) or _by_address(term, limit)
    if not found:
        raise NoMessageError(term)
    return found


def _by_id(term: str) -> list[Message]:
    try:
        return list(Message.objects.filter(id=UUID(term)))
    except ValueError:
        return []


def _by_key(term: str) -> list[Message]:
    return list(Message.objects.filter(idempotency_key=term))


def _by_provider_id(term: str) -> list[Message]:
    attempts = DeliveryAttempt.objects.filter(provider_message_id=term).exclude(provider_message_id="")
    ids = list(dict.fromkeys(attempts.values_list("message_id", flat=True)[:MOST_NAMED]))
    if len(ids) > 1:
        raise AmbiguousError(ids)
    return list(Message.objects.filter(id__in=ids))


def _by_address(term: str, limit: int) -> list[Message]:
    if "@" not in term:
        return []
    # Sorted by an expression, as the planner would otherwise read all messages in the order of their index.
    newest = Coalesce("created_at", "created_at", output_field=DateTimeField()).desc()
    return list(Message.objects.filter(to_address=term.lower()).order_by(newest)[:limit])
