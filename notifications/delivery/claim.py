"""Claim, hand over and release messages by compare-and-set, so that one worker sends each."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from notifications.conf import settings
from notifications.models import Message, transitions
from notifications.models.message import REQUEUE_IN_ORDER
from notifications.providers.base.deadline import call_s
from notifications.rules.states import STATUSES, Event, Status, Stream
from notifications.rules.suppression import Reason

# In SQL because it runs once per email: built by the ORM, it would cost the worker four times as much time.
_HAND_OVER = """
UPDATE notifications_message
SET handed_over_at = statement_timestamp(), attempts = attempts + 1, provider = %(provider)s, claims_lost = 0,
    error_fingerprint = ''
WHERE id = %(id)s AND status = %(sending)s AND lease_token = %(token)s
  AND lease_until > statement_timestamp() + %(call_s)s * interval '1 second'
  AND NOT EXISTS (
      SELECT FROM notifications_suppression AS listed
      WHERE listed.address = lower(to_address) AND listed.lifted_at IS NULL
        AND (listed.reason <> %(unsubscribed)s OR stream = %(bulk)s)
        AND (listed.reason <> %(soft_bounces)s OR listed.probe_id IS DISTINCT FROM notifications_message.id)
  )
"""
_DEFER = """
UPDATE notifications_message AS message
SET due_at = statement_timestamp() + wait.seconds * interval '1 second',
    relay_after = statement_timestamp() + wait.seconds * interval '1 second'
FROM unnest(%(ids)s::uuid[], %(waits_s)s::float[]) AS wait (id, seconds)
WHERE message.id = wait.id AND message.status = %(queued)s AND message.due_at <= statement_timestamp()
"""
_TERMS = {
    **STATUSES,
    "bulk": Stream.BULK,
    "unsubscribed": Reason.UNSUBSCRIBED,
    "soft_bounces": Reason.SOFT_BOUNCES,
}


def claim(message_ids: Iterable[UUID]) -> list[Message]:
    """Claim the due messages and return them in this order, users loaded.

    Only the first claim succeeds, so publishing an id twice is harmless.
    """
    ids = list(message_ids)
    if not ids:
        return []
    token = uuid4()
    won = transitions.apply(
        Event.CLAIMED,
        Message.objects.filter(id__in=ids, due_at__lte=Now()),
        lease_token=token,
        lease_until=Now() + timedelta(seconds=settings.DELIVERY_LEASE_S),
    )
    if not won:
        return []
    mine = Message.objects.filter(id__in=won, lease_token=token).select_related("user").in_bulk()
    return [mine[message_id] for message_id in ids if message_id in mine]


def hand_over(message: Message, provider: str) -> bool:
    """Record that the provider is about to be called, and count the attempt.

    Return False if the worker must not call: its lease has ended or is too short for a whole call, or the address was
    suppressed meanwhile. The message then keeps its claim until the lease ends.
    """
    with connection.cursor() as cursor:
        mine = {"id": message.id, "token": message.lease_token, "provider": provider, "call_s": call_s()}
        cursor.execute(_HAND_OVER, {**_TERMS, **mine})
        marked = cursor.rowcount
    if marked:
        message.attempts += 1
    return bool(marked)


def release(messages: Sequence[Message], *, relay_now: bool = True) -> None:
    # For messages that were not handed over. The relay publishes them now, or after its pause.
    mine = Message.objects.filter(
        id__in=[message.id for message in messages],
        lease_token__in={message.lease_token for message in messages},
        handed_over_at__isnull=True,
    )
    transitions.apply(Event.RELEASED, mine, **(REQUEUE_IN_ORDER if relay_now else {}))


def revert_hand_over(message: Message) -> None:
    # The provider was not called, so this does not count as an attempt. Has no effect if the claim was lost in between.
    mine = Message.objects.filter(id=message.id, lease_token=message.lease_token)
    transitions.apply(Event.RELEASED, mine, attempts=F("attempts") - 1, **REQUEUE_IN_ORDER)


def requeue(message_ids: Sequence[UUID]) -> int:
    # For due messages. Publishing did not fail, so the relay's growing pauses are reset.
    waiting = Message.objects.filter(id__in=message_ids, status=Status.QUEUED, due_at__lte=Now())
    return waiting.update(**REQUEUE_IN_ORDER)


def defer(message_ids: Sequence[UUID], waits_s: Sequence[float]) -> None:
    # The budget grants them nothing now. This costs no attempt.
    with connection.cursor() as cursor:
        cursor.execute(_DEFER, {**_TERMS, "ids": list(message_ids), "waits_s": list(waits_s)})
