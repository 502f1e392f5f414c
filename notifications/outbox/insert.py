"""Write messages with one INSERT, which returns those that are new."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection

from notifications import kinds
from notifications.models import Message, transitions
from notifications.models.pending_change import noting
from notifications.models.suppression import cool_off
from notifications.rules import states
from notifications.rules.changes import MessageChange
from notifications.rules.states import Event, Status, Stream
from notifications.rules.suppression import BOUNCES, Reason

#: Rows per statement. Of more, the server and this process would hold too much in memory at a time.
BATCH = 1000
#: How many seconds after its enqueue the relay publishes a message that the request did not publish.
RELAY_AFTER_S = {
    Stream.CRITICAL: 5.0,
    Stream.DEFAULT: 10.0,
    # Only the relay publishes bulk: the backlog stays in PostgreSQL, and the broker's queue short.
    Stream.BULK: 0.0,
}

# The reason of a message whose address is suppressed. It is written too, so that operators can find it.
SUPPRESSED = "the address is suppressed: "

# All rows are one parameter, because the ORM needs 0.6 ms to compile a row. The server finds the suppressions in force,
# the first of which blocks a message (a test compares this with the rules). It adds the times, by its clock, and the
# defaults of the columns that are missing here; the last values are those of columns without such a default.
_INSERT = """
WITH new AS MATERIALIZED (
    SELECT draft.*, (
        SELECT (array_agg(reason ORDER BY created_at))[1] FROM notifications_suppression
        WHERE address = draft.to_address AND lifted_at IS NULL AND (reason <> %(unsubscribed)s OR stream = %(bulk)s)
          AND (reason <> ALL(%(bounces)s) OR probe_id IS DISTINCT FROM draft.id)
          AND NOT (
              reason = %(soft_bounces)s AND may_recheck
              AND coalesce(probed_at, created_at) <= statement_timestamp() - %(cool_off)s
          )
    ) AS blocked_for
    FROM json_to_recordset(%(rows)s) AS draft (
        id uuid, kind text, stream text, user_id {user_type}, to_address text, context jsonb, idempotency_key text,
        resend_of_id uuid, status_reason text, slowed_for text, may_recheck bool, max_age_s float8, relay_s float8,
        held_s float8, has_content bool, send_at timestamptz
    )
), judged AS (
    SELECT *, CASE WHEN blocked_for IS NULL THEN held_s END AS wait_s,
        greatest(send_at, statement_timestamp()) AS starts_at, send_at > statement_timestamp() AS is_scheduled
    FROM new
)
INSERT INTO notifications_message (
    id, kind, stream, user_id, to_address, context, idempotency_key, resend_of_id, status, status_reason, slowed_for,
    send_at, due_at, expires_at, relay_after, slowed_until, has_content, provider, attempts, relayed
)
SELECT
    id, kind, stream, user_id, to_address, context, idempotency_key, resend_of_id,
    CASE WHEN blocked_for IS NULL THEN %(queued)s ELSE %(suppressed)s END,
    coalesce(%(suppressed_for)s || blocked_for, status_reason),
    CASE WHEN wait_s IS NULL THEN '' ELSE slowed_for END,
    send_at, starts_at + make_interval(secs => coalesce(wait_s, 0)), starts_at + make_interval(secs => max_age_s),
    starts_at + make_interval(secs => CASE WHEN is_scheduled THEN 0 ELSE coalesce(wait_s, relay_s) END),
    statement_timestamp() + make_interval(secs => wait_s),
    coalesce(has_content, false), '', 0, 0
FROM judged
ON CONFLICT DO NOTHING RETURNING id, idempotency_key, created_at, status, status_reason
"""


def insert(messages: Sequence[Message], *, held: Collection[UUID], due_streams: Collection[Stream]) -> list[Message]:
    """Write the messages and return those whose id and key are new, in order.

    Those to suppressed addresses are suppressed. The ids `held` wait for the bounce brake. The relay may publish
    messages of `due_streams` immediately.
    """
    rows = [_row(message, is_held=message.id in held, is_due=message.stream in due_streams) for message in messages]
    written: dict[tuple[UUID, str], tuple[datetime, str, str]] = {}
    for start in range(0, len(rows), BATCH):
        with connection.cursor() as cursor:
            cursor.execute(_statement(), _terms(rows[start : start + BATCH]))
            written |= {(message_id, key): values for message_id, key, *values in cursor.fetchall()}
    # Of two messages with the same id and key, the first is new.
    return [
        _written(message, row, *values)
        for message, row in zip(messages, rows, strict=True)
        if (values := written.pop((message.id, message.idempotency_key), None))
    ]


def _statement() -> str:
    # The application learns of those whose address is suppressed.
    return noting(_insert(), MessageChange.SUPPRESSED, where="WHERE status = %(suppressed)s")


@cache
def _insert() -> str:
    # Accounts have any type of key.
    return _INSERT.format(user_type=Message.user.field.db_type(connection))


def _terms(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "rows": json.dumps(rows),
        "queued": Status.QUEUED,
        "suppressed": states.target(Event.ADDRESS_SUPPRESSED),
        "suppressed_for": SUPPRESSED,
        "unsubscribed": Reason.UNSUBSCRIBED,
        "soft_bounces": Reason.SOFT_BOUNCES,
        "bounces": sorted(BOUNCES),
        "bulk": Stream.BULK,
        "cool_off": cool_off(),
    }


def _row(message: Message, *, is_held: bool, is_due: bool) -> dict[str, Any]:
    kind = kinds.get(message.kind)
    rare: dict[str, Any] = {"has_content": True} if message.has_content else {}
    if message.send_at:
        rare["send_at"] = message.send_at.isoformat()
    return {
        **rare,
        "id": str(message.id),
        "kind": message.kind,
        "stream": message.stream,
        "user_id": message.user_id if isinstance(message.user_id, int | None) else str(message.user_id),
        "to_address": message.to_address,
        "context": message.context,
        "idempotency_key": message.idempotency_key,
        "resend_of_id": message.resend_of_id and str(message.resend_of_id),
        "status_reason": message.status_reason,
        # Personal data, which only the queue of the bounce brake needs.
        "slowed_for": message.slowed_for if is_held else "",
        "may_recheck": kind.may_recheck,
        "max_age_s": kind.max_age.total_seconds(),
        "relay_s": 0.0 if is_due else RELAY_AFTER_S[Stream(message.stream)],
        "held_s": kind.max_age.total_seconds() if is_held else None,
    }


def _written(message: Message, row: dict[str, Any], created_at: datetime, status: str, reason: str) -> Message:
    starts_at = max(created_at, message.send_at or created_at)

    def after(seconds: float) -> datetime:
        return starts_at + timedelta(seconds=seconds)

    held_s = row["held_s"] if status == Status.QUEUED else None
    relay_s = 0.0 if starts_at > created_at else row["relay_s"]
    transitions.note_new(message, status, reason)
    message.created_at = created_at
    message.due_at = after(held_s or 0)
    message.expires_at = after(row["max_age_s"])
    message.relay_after = after(relay_s if held_s is None else held_s)
    message.slowed_until = None if held_s is None else after(held_s)
    message.slowed_for = "" if held_s is None else row["slowed_for"]
    message.is_new = True
    message._state.adding = False  # noqa: SLF001 - as the ORM does
    message._state.db = connection.alias  # noqa: SLF001
    return message
