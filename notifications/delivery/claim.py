"""The compare-and-sets by which one worker, and one only, gets to send a message."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from notifications.conf import settings
from notifications.models import Message
from notifications.models.message import REQUEUE_IN_ORDER
from notifications.providers.base.deadline import call_s
from notifications.rules import states
from notifications.rules.states import Event, Status

# Run once for every mail: put together by the ORM it would cost four times as much of the worker's time.
_HAND_OVER = """
UPDATE notifications_message
SET handed_over_at = statement_timestamp(), attempts = attempts + 1, provider = %s, claims_lost = 0,
    error_fingerprint = ''
WHERE id = %s AND status = 'sending' AND lease_token = %s
  AND lease_until > statement_timestamp() + %s * interval '1 second'
  AND NOT EXISTS (
      SELECT FROM notifications_suppression AS listed
      WHERE listed.address = lower(to_address) AND listed.lifted_at IS NULL
        AND (listed.reason <> 'unsubscribed' OR stream = 'bulk')
        AND (listed.reason <> 'soft bounces' OR listed.probe_id IS DISTINCT FROM notifications_message.id)
  )
"""


def claim(message_ids: Iterable[UUID]) -> list[Message]:
    """Win what is due of these messages for this worker and return it, users loaded, in the order asked for.

    Who comes second wins nothing, so publishing an id twice is harmless.
    """
    ids = list(message_ids)
    if not ids:
        return []
    token = uuid4()
    won = Message.objects.filter(id__in=ids, status__in=states.sources(Event.CLAIMED), due_at__lte=Now()).update(
        status=Status.SENDING,
        lease_token=token,
        lease_until=Now() + timedelta(seconds=settings.DELIVERY_LEASE_S),
    )
    if not won:
        return []
    mine = Message.objects.filter(id__in=ids, lease_token=token).select_related("user").in_bulk()
    return [mine[message_id] for message_id in ids if message_id in mine]


def hand_over(message: Message, provider: str) -> bool:
    """Leave the evidence that the provider is about to be called, and count the attempt. False: it must not be called.

    A worker that slept past its lease, or has too little of it left for a whole call, may not send any more. A message
    whose address was suppressed after it was judged, and that does not probe it, stays with its claim and is judged
    again when the lease has ended.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HAND_OVER, [provider, message.id, message.lease_token, call_s()])
        marked = cursor.rowcount
    if marked:
        message.attempts += 1
    return bool(marked)


def release(messages: Sequence[Message], *, at_once: bool = True) -> None:
    """Return claimed messages that were not handed over; the relay may publish them at once, or after its own pause."""
    tokens = {message.lease_token for message in messages}
    Message.objects.filter(
        id__in=[message.id for message in messages],
        lease_token__in=tokens,
        status__in=states.sources(Event.RELEASED),
        handed_over_at__isnull=True,
    ).update(
        status=states.target(Event.RELEASED),
        lease_token=None,
        lease_until=None,
        **(REQUEUE_IN_ORDER if at_once else {}),
    )


def revert_hand_over(message: Message) -> None:
    """Return a message that was handed over and whose provider was not called after all: that was no attempt.

    Nothing happens if its claim was lost in between.
    """
    mine = Message.objects.filter(
        id=message.id, lease_token=message.lease_token, status__in=states.sources(Event.RELEASED)
    )
    mine.update(
        status=states.target(Event.RELEASED),
        attempts=F("attempts") - 1,
        lease_token=None,
        lease_until=None,
        handed_over_at=None,
        **REQUEUE_IN_ORDER,
    )


def requeue(message_ids: Sequence[UUID]) -> int:
    """Make unclaimed messages due for the relay at once and return how many that were.

    Their publishing did not fail, so the relay's growing pauses start anew. What is not yet due goes on waiting.
    """
    waiting = Message.objects.filter(id__in=message_ids, status=Status.QUEUED, due_at__lte=Now())
    return waiting.update(**REQUEUE_IN_ORDER)


def defer(message_ids: Sequence[UUID], waits_s: Sequence[float]) -> None:
    """Give unclaimed messages a later due time each, because the budget has nothing for them now. Costs no attempt."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_message AS message
            SET due_at = statement_timestamp() + wait.seconds * interval '1 second',
                relay_after = statement_timestamp() + wait.seconds * interval '1 second'
            FROM unnest(%s::uuid[], %s::float[]) AS wait (id, seconds)
            WHERE message.id = wait.id AND message.status = 'queued' AND message.due_at <= statement_timestamp()
            """,
            [list(message_ids), list(waits_s)],
        )
