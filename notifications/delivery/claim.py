"""Claim, hand over and release messages by compare-and-set, so that one worker sends each."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import F, QuerySet

from notifications.conf import settings
from notifications.models import Message, transitions
from notifications.models.message import REQUEUE_IN_ORDER
from notifications.models.pause import WAITS_FOR_RESUME
from notifications.models.prepared import prepared_cursor
from notifications.models.rows import rows_of
from notifications.providers.base.deadline import call_s
from notifications.rules import shadow, states
from notifications.rules.states import STATUSES, Event, Stream
from notifications.rules.suppression import BOUNCES, Reason

# In SQL because they run for every email: built by the ORM, they would cost the worker four times as much time. A test
# compares them with the table of states. A list of ids is sent in binary (%b): as text, each id is quoted in Python.
# Ids and statuses stand in subqueries, so that the planner cannot use what it believes about their number: with old
# statistics, it would read the whole table, or an index with all queued messages, for each group. OFFSET 0: each
# address is found by the index, and no statement reads all suppressions to join them.

# A claim need not wait for the disk: the hand-over does, and with it everything that was written before. If a crash of
# the server loses the claim, it was never made.
_CLAIM = """
UPDATE notifications_message
SET status = %(claimed)s, lease_token = %(token)s,
    lease_until = statement_timestamp() + %(lease_s)s * interval '1 second'
FROM set_config('synchronous_commit', 'off', true)
WHERE id = ANY((SELECT %(ids)b::uuid[])::uuid[]) AND status = ANY((SELECT %(sources)s::text[])::text[])
  AND due_at <= statement_timestamp() AND NOT {paused}
RETURNING {columns}
"""
_CLAIMED: dict[str, Any] = {"claimed": states.target(Event.CLAIMED), "sources": states.sources(Event.CLAIMED)}
_HAND_OVER = """
UPDATE notifications_message
SET handed_over_at = statement_timestamp(), attempts = attempts + 1, provider = %(provider)s, claims_lost = 0,
    error_fingerprint = ''
WHERE id = ANY((SELECT %(ids)b::uuid[])::uuid[]) AND status = (SELECT %(sending)s::text)
  AND kind <> %(never_sent)s
  AND lease_token = ANY(%(tokens)s) AND lease_until > statement_timestamp() + %(call_s)s * interval '1 second'
  AND NOT EXISTS (
      SELECT FROM notifications_suppression AS listed
      WHERE listed.address = lower(to_address) AND listed.lifted_at IS NULL
        AND (listed.reason <> %(unsubscribed)s OR stream = %(bulk)s)
        AND (listed.reason <> ALL(%(bounces)s) OR listed.probe_id IS DISTINCT FROM notifications_message.id)
      OFFSET 0
  )
RETURNING id
"""
_DEFER = """
UPDATE notifications_message AS message
SET due_at = statement_timestamp() + wait.seconds * interval '1 second',
    relay_after = statement_timestamp() + wait.seconds * interval '1 second'
FROM unnest(%(ids)s::uuid[], %(waits_s)s::float[]) AS wait (id, seconds)
WHERE message.id = ANY((SELECT %(ids)s::uuid[])::uuid[]) AND message.id = wait.id
  AND message.status = (SELECT %(queued)s::text) AND message.due_at <= statement_timestamp()
"""
_REQUEUE = """
UPDATE notifications_message SET relay_after = created_at, relayed = 0
WHERE id = ANY((SELECT %(ids)s::uuid[])::uuid[]) AND status = (SELECT %(queued)s::text)
  AND due_at <= statement_timestamp()
"""
_COUNT_PAUSED = f"""
SELECT count(*) FROM notifications_message
WHERE id = ANY((SELECT %(ids)s::uuid[])::uuid[]) AND status = (SELECT %(queued)s::text)
  AND due_at <= statement_timestamp() AND {WAITS_FOR_RESUME}
"""  # noqa: S608 - made of constants only
_TERMS: dict[str, Any] = {
    **STATUSES,
    "bulk": Stream.BULK,
    "unsubscribed": Reason.UNSUBSCRIBED,
    "bounces": sorted(BOUNCES),
    "never_sent": shadow.KIND,
}


def claim(message_ids: Iterable[UUID]) -> list[Message]:
    """Claim the due messages that are not paused, and return them in this order.

    Only the first claim succeeds, so publishing an id twice is harmless.
    """
    ids = list(message_ids)
    if not ids:
        return []
    rows = rows_of(Message)
    mine = {**_CLAIMED, "ids": ids, "token": uuid4(), "lease_s": settings.DELIVERY_LEASE_S}
    with prepared_cursor() as cursor:
        cursor.execute(_CLAIM.format(columns=rows.columns, paused=WAITS_FOR_RESUME), mine)
        won = {message.id: message for message in map(rows.instance, cursor.fetchall())}
    # An id that is named twice is claimed once.
    claimed = [message for message_id in ids if (message := won.pop(message_id, None))]
    transitions.announce(Event.CLAIMED, [transitions.Changed(id=message.id, kind=message.kind) for message in claimed])
    return claimed


def hand_over(messages: Sequence[Message], provider: str) -> set[UUID]:
    """Mark the messages as handed over and count their attempts; the calls must follow.

    Return the ids of those that the worker may call for. The others' leases have ended or are too short for a whole
    call, or their addresses were suppressed meanwhile; they keep their claims until the leases end.
    """
    mine = {"ids": sorted((message.id for message in messages), key=attrgetter("int")), "tokens": _tokens(messages)}
    with prepared_cursor() as cursor:
        cursor.execute(_HAND_OVER, {**_TERMS, **mine, "provider": provider, "call_s": call_s()})
        marked = {message_id for (message_id,) in cursor.fetchall()}
    for message in messages:
        message.attempts += message.id in marked
    return marked


def held(messages: Sequence[Message]) -> QuerySet[Message]:
    """Return the rows of those messages that are still claimed as when they were read."""
    ids = sorted(message.id for message in messages)
    return Message.objects.filter(id__in=ids, lease_token__in=_tokens(messages))


def release(messages: Sequence[Message], *, relay_now: bool = True) -> None:
    # For messages that were not handed over. The relay publishes them now, or after its pause.
    mine = held(messages).filter(handed_over_at__isnull=True)
    transitions.apply(Event.RELEASED, mine, **(REQUEUE_IN_ORDER if relay_now else {}))


def revert_hand_over(messages: Sequence[Message]) -> None:
    # The provider was not called, so this does not count as an attempt. Has no effect on a lost claim.
    mine = held(messages).filter(handed_over_at__isnull=False)
    transitions.apply(Event.RELEASED, mine, attempts=F("attempts") - 1, **REQUEUE_IN_ORDER)


def requeue(message_ids: Sequence[UUID]) -> int:
    # For due messages. Publishing did not fail, so the relay's growing pauses are reset.
    with connection.cursor() as cursor:
        cursor.execute(_REQUEUE, {**_TERMS, "ids": list(message_ids)})
        return int(cursor.rowcount)


def defer(message_ids: Sequence[UUID], waits_s: Sequence[float]) -> None:
    # The budget grants them nothing now. This costs no attempt.
    with connection.cursor() as cursor:
        cursor.execute(_DEFER, {**_TERMS, "ids": list(message_ids), "waits_s": list(waits_s)})


def count_paused(message_ids: Sequence[UUID]) -> int:
    # For messages that could not be claimed: those that an operator has paused.
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_PAUSED, {**_TERMS, "ids": list(message_ids)})
        ((count,),) = cursor.fetchall()
    return int(count)


def _tokens(messages: Sequence[Message]) -> list[UUID]:
    # Messages that were claimed together share one.
    return list({message.lease_token for message in messages if message.lease_token})
