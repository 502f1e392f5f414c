"""Messages that are due later and were not tried yet."""

from datetime import datetime
from itertools import chain
from operator import attrgetter
from uuid import UUID

from django.db.models import DateTimeField, F, Q, Value
from django.db.models.functions import Greatest, Now

from notifications.models import Message
from notifications.outbox.cancel import by_key_or_id
from notifications.providers.base import given
from notifications.rules.states import Status, Stream

# Those that wait for a retry have an attempt, and those of the bounce brake a separate queue.
SCHEDULED = Q(status=Status.QUEUED, attempts=0, slowed_until=None, due_at__gt=Now())


def reschedule(key_or_id: str | UUID, at: datetime) -> bool:
    """Send a message at another time; return False if it cannot be moved.

    By its idempotency key or id, as for `cancel`. Now, if `at` is past. A message can be moved while it is queued and
    no provider was called for it, unless the bounce brake holds it. Its expiry moves with it. Raises BadContentError if
    `at` has no time zone, or lies in a year that cannot be stored.
    """
    begins = Greatest(Value(given.moment("at", at), DateTimeField()), Now())
    # The statement reads the old values: the time that the message has from its start to its expiry stays.
    lasts = F("expires_at") - Greatest("send_at", "created_at")
    waiting = by_key_or_id(key_or_id).filter(status=Status.QUEUED, attempts=0, slowed_until=None, anonymized_at=None)
    return bool(waiting.update(send_at=begins, due_at=begins, relay_after=begins, relayed=0, expires_at=begins + lasts))


def next_scheduled(most: int) -> list[Message]:
    """Return the messages that are due next, soonest first."""
    # The index of queued messages is in the order of relay times, within a stream. Before a message is due, its relay
    # time is in the future too.
    of_streams = [
        Message.objects.filter(SCHEDULED, stream=stream, relay_after__gt=Now()).order_by("relay_after")[:most]
        for stream in Stream
    ]
    return sorted(chain.from_iterable(of_streams), key=attrgetter("due_at"))[:most]
