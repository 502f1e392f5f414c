"""Write messages with one INSERT, which returns those that are new."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection

from notifications import kinds
from notifications.models import Message
from notifications.rules.states import Stream

#: Rows per statement. Of more, the server and this process would hold too much in memory at a time.
BATCH = 1000
#: How many seconds after its enqueue the relay publishes a message that the request did not publish.
RELAY_AFTER_S = {
    Stream.CRITICAL: 5.0,
    Stream.DEFAULT: 10.0,
    # Only the relay publishes bulk: the backlog stays in PostgreSQL, and the broker's queue short.
    Stream.BULK: 0.0,
}

# All rows are one parameter, because the ORM needs 0.6 ms to compile a row. The server adds the times, by its clock,
# and the defaults of the columns that are missing here; the last values are those of columns without such a default.
_INSERT = """
INSERT INTO notifications_message (
    id, kind, stream, user_id, to_address, context, idempotency_key, resend_of_id, status, status_reason, slowed_for,
    due_at, expires_at, relay_after, slowed_until, provider, attempts, relayed
)
SELECT
    id, kind, stream, user_id, to_address, context, idempotency_key, resend_of_id, status, status_reason, slowed_for,
    statement_timestamp() + make_interval(secs => coalesce(held_s, 0)),
    statement_timestamp() + make_interval(secs => max_age_s),
    statement_timestamp() + make_interval(secs => coalesce(held_s, relay_s)),
    statement_timestamp() + make_interval(secs => held_s),
    '', 0, 0
FROM json_to_recordset(%s) AS new (
    id uuid, kind text, stream text, user_id {user_type}, to_address text, context jsonb, idempotency_key text,
    resend_of_id uuid, status text, status_reason text, slowed_for text, max_age_s float8, relay_s float8, held_s float8
)
ON CONFLICT DO NOTHING RETURNING id, idempotency_key, created_at
"""


def insert(messages: Sequence[Message], *, held: Collection[UUID], due_streams: Collection[Stream]) -> list[Message]:
    """Write the messages and return those whose id and key are new, in order.

    The ids `held` wait for the bounce brake. The relay may publish messages of `due_streams` immediately.
    """
    new: list[Message] = []
    for start in range(0, len(messages), BATCH):
        part = messages[start : start + BATCH]
        rows = [_row(message, is_held=message.id in held, is_due=message.stream in due_streams) for message in part]
        with connection.cursor() as cursor:
            cursor.execute(_statement(), [json.dumps(rows)])
            written = {(message_id, key): created_at for message_id, key, created_at in cursor.fetchall()}
        for message, row in zip(part, rows, strict=True):
            # Of two messages with the same id and key, the first is new.
            if created_at := written.pop((message.id, message.idempotency_key), None):
                new.append(_written(message, row, created_at))
    return new


@cache
def _statement() -> str:
    # Accounts have any type of key.
    return _INSERT.format(user_type=Message.user.field.db_type(connection))


def _row(message: Message, *, is_held: bool, is_due: bool) -> dict[str, Any]:
    max_age_s = kinds.get(message.kind).max_age.total_seconds()
    return {
        "id": str(message.id),
        "kind": message.kind,
        "stream": message.stream,
        "user_id": message.user_id if isinstance(message.user_id, int | None) else str(message.user_id),
        "to_address": message.to_address,
        "context": message.context,
        "idempotency_key": message.idempotency_key,
        "resend_of_id": message.resend_of_id and str(message.resend_of_id),
        "status": message.status,
        "status_reason": message.status_reason,
        # Personal data, which only the queue of the bounce brake needs.
        "slowed_for": message.slowed_for if is_held else "",
        "max_age_s": max_age_s,
        "relay_s": 0.0 if is_due else RELAY_AFTER_S[Stream(message.stream)],
        "held_s": max_age_s if is_held else None,
    }


def _written(message: Message, row: dict[str, Any], created_at: datetime) -> Message:
    def after(seconds: float | None) -> datetime:
        return created_at + timedelta(seconds=seconds or 0)

    held_s = row["held_s"]
    message.created_at = created_at
    message.due_at = after(held_s)
    message.expires_at = after(row["max_age_s"])
    message.relay_after = after(row["relay_s"] if held_s is None else held_s)
    message.slowed_until = None if held_s is None else after(held_s)
    message.slowed_for = row["slowed_for"]
    message.is_new = True
    message._state.adding = False  # noqa: SLF001 - as the ORM does
    message._state.db = connection.alias  # noqa: SLF001
    return message
