"""Retry a waiting message immediately."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from notifications.models import Message
from notifications.rules.states import Status

# Messages that the bounce brake holds back keep their place: an operator releases its queue instead.
_WAITING = Q(status=Status.QUEUED, due_at__gt=Now()) & (Q(slowed_until=None) | Q(slowed_until__lte=Now()))


def waiting(ids: Iterable[UUID]) -> set[UUID]:
    return set(Message.objects.filter(_WAITING, id__in=ids).values_list("id", flat=True))


def retry_now(message: Message) -> bool:
    # False if a worker, the relay or another operator was faster: `due_at` is no longer the one in `message`. It may
    # still be in this statement's future, because the other operator's statement may have begun later.
    waits = Message.objects.filter(_WAITING, id=message.id, due_at=message.due_at)
    retried = waits.update(due_at=Now(), relay_after=Now(), relayed=0)
    return bool(retried)
