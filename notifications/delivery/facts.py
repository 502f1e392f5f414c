"""Collect, with one query for a whole group, what `wanted` needs to know."""

from collections.abc import Sequence

from django.db import Error as DatabaseError
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.db.models.functions import Now

from notifications import kinds
from notifications.delivery.wanted import Facts
from notifications.models import Message
from notifications.states import Status

# A newer message in one of these states reaches, has reached or may have reached the person.
_ALIVE = [Status.QUEUED, Status.SENDING, Status.SENT, Status.UNCERTAIN]


def gather(messages: Sequence[Message]) -> list[tuple[Message, Facts]]:
    """Return claimed messages (their users loaded), each with its facts, judged by the database's clock."""
    if not messages:
        return []
    newer = Message.objects.filter(
        user=OuterRef("user"), kind=OuterRef("kind"), created_at__gt=OuterRef("created_at"), status__in=_ALIVE
    )
    rows = Message.objects.filter(id__in=[message.id for message in messages]).values_list(
        "id", Case(When(Q(expires_at__lte=Now()), then=Value(True)), default=Value(False)), Exists(newer)
    )
    clock = {message_id: (expired, superseded) for message_id, expired, superseded in rows}
    return [(message, _facts(message, *clock[message.id])) for message in messages if message.id in clock]


def _facts(message: Message, expired: bool, superseded: bool) -> Facts:
    """A kind is an adopter's code: what it raises is its own message's end and nobody else's trouble."""
    try:
        return _ask_kind(message, expired, superseded)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        return Facts(broken=type(error).__name__)


def _ask_kind(message: Message, expired: bool, superseded: bool) -> Facts:
    kind = kinds.get(message.kind)
    user = message.user
    if user is None:
        return Facts(expired=expired, user_gone=kind.for_owner)
    return Facts(
        expired=expired,
        user_inactive=not user.is_active,
        address_changed=kind.for_owner and message.to_address.lower() != user.email.lower(),
        superseded=kind.newest_wins and superseded,
        wanted=kind.wanted(user),
    )
