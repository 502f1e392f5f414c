"""Take due messages and publish them in tasks of many."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection

from notifications.conf import settings
from notifications.models.pause import WAITS_FOR_RESUME
from notifications.outbox import publish
from notifications.providers import registry
from notifications.rules.states import STATUSES, Stream

T = TypeVar("T")
#: A backlog smaller than this many tasks is cut into smaller ones, so that more threads share it.
SPREAD = 32
#: The same for batches: a few threads carry thousands of messages per second, and large batches cost least.
BATCH_SPREAD = 4
#: The most messages in the tasks of a queue. Of more, a slow fleet would let some wait until they are published again.
MOST_WAITING = 5000
# While the budget holds a stream back, the relay publishes slightly more than the budget grants, in short rounds: the
# budget is never idle, and the backlog does not circulate through the broker.
PACED_ROUND_S = 0.2
PACED_MORE = 1.25
PACED_SPREAD = 8

# The commit need not be on disk: if a crash of the server undoes it, the messages are published again. Locked rows are
# skipped: another relay is taking them. An array, because the planner would read the whole table to join many rows.
_TAKE = f"""
WITH due AS (
    SELECT id FROM notifications_message
    WHERE status = %(queued)s AND stream = %(stream)s
      AND relay_after <= statement_timestamp() AND due_at <= statement_timestamp()
      AND (attempts = 0 OR NOT %(untried)s) AND NOT {WAITS_FOR_RESUME}
    ORDER BY relay_after LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE notifications_message AS message
SET relayed = least(relayed + 1, 1000),
    relay_after = statement_timestamp() + least(%(lease_s)s, 10 * 2 ^ least(relayed, 10)) * interval '1 second'
FROM set_config('synchronous_commit', 'off', true)
WHERE message.id = ANY (ARRAY(SELECT id FROM due))
RETURNING message.id, message.kind, message.created_at, message.claims_lost > 0
"""  # noqa: S608 - made of constants only
# In subqueries, as in delivery.claim: with old statistics, the planner would read all queued messages.
_GIVE_BACK = """
UPDATE notifications_message SET relay_after = statement_timestamp()
WHERE id = ANY((SELECT %(ids)s::uuid[])::uuid[]) AND status = (SELECT %(queued)s::text)
"""


@dataclass(frozen=True, kw_only=True)
class TaskPlan:
    """How a stream's backlog becomes tasks."""

    #: The most messages of a task.
    size: int
    #: The most tasks in the queue.
    high_water: int
    #: A smaller backlog is cut into at least this many tasks.
    spread: int
    #: Messages per second, if the budget holds the stream back.
    pace: float | None = None

    def limit(self, room: int) -> int:
        """Return the most messages for `room` tasks."""
        if self.pace is None:
            return room * self.size
        return min(room * self.size, 1 + math.ceil(self.pace * PACED_ROUND_S * PACED_MORE))


@dataclass(frozen=True, kw_only=True)
class Due:
    """A message that was due. One that may crash its worker is published alone."""

    id: UUID
    kind: str
    created_at: datetime
    goes_alone: bool


def largest_batch(stream: Stream, provider: str) -> int:
    # Only bulk goes in batches, if the provider has them.
    if stream is not Stream.BULK:
        return 1
    return min(settings.EMAIL_BATCH_SIZE, registry.PROVIDERS[provider].backend().largest_batch)


def task_plan(batch: int = 1, pace: float | None = None) -> TaskPlan:
    size = max(batch, settings.RELAY_CHUNK_SIZE)
    spread, paced_spread = (SPREAD, PACED_SPREAD) if batch == 1 else (BATCH_SPREAD, 1)
    return TaskPlan(
        size=size,
        high_water=min(settings.RELAY_HIGH_WATER, math.ceil(MOST_WAITING / size)),
        spread=spread if pace is None else paced_spread,
        pace=pace,
    )


def top_up(stream: Stream, room: int, plan: TaskPlan, *, untried: bool = False) -> int:
    """Publish what is due in at most `room` tasks; return the number of messages.

    `untried`: only messages without an attempt.
    """
    if room <= 0:
        return 0
    due = take_due(stream, plan.limit(room), untried=untried)
    alone = [[message] for message in due if message.goes_alone]
    others = [message for message in due if not message.goes_alone]
    chunks = [*cut(others, largest=plan.size, spread=min(plan.spread, room) - len(alone)), *alone]
    # There may be more lone messages than room.
    sent = publish.publish(chunks[:room], stream)
    if unpublished := [message.id for chunk in chunks[sent:] for message in chunk]:
        give_back(unpublished)
    return sum(len(chunk) for chunk in chunks[:sent])


def take_due(stream: Stream, limit: int, *, untried: bool = False) -> list[Due]:
    """Take at most `limit` due messages, oldest first, and postpone their relay time.

    The pause is 10 s, 20 s … up to a lease: how long an unclaimed message waits if its chunk is lost with a worker.
    """
    terms: dict[str, Any] = {"stream": stream.value, "untried": untried, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {**STATUSES, **terms, "lease_s": settings.DELIVERY_LEASE_S})
        rows = cursor.fetchall()
    taken = [
        Due(id=message_id, kind=kind, created_at=created_at, goes_alone=alone)
        for message_id, kind, created_at, alone in rows
    ]
    return sorted(taken, key=lambda message: message.created_at)


def give_back(ids: Sequence[UUID]) -> None:
    # For messages that were taken, but not published.
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, {**STATUSES, "ids": list(ids)})


def cut(due: Sequence[T], *, largest: int, spread: int) -> list[Sequence[T]]:
    # Into smaller chunks than `largest`, if that makes fewer than `spread` of them.
    size = max(1, min(largest, math.ceil(len(due) / max(spread, 1))))
    return [due[start : start + size] for start in range(0, len(due), size)]
