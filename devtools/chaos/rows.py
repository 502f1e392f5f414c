"""Reads the database's rows for the report. They are never used as proof."""

from contextlib import closing
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from devtools.stack.facts import Fact

UNSETTLED = """
SELECT kind, to_address FROM notifications_message
WHERE status IN ('queued', 'sending') OR (status = 'uncertain' AND settle_at IS NOT NULL)
ORDER BY created_at
"""
# Uncertain messages that nothing will resend.
HELD = """
SELECT id::text, kind, to_address FROM notifications_message WHERE status = 'uncertain' AND settle_at IS NULL
ORDER BY created_at
"""
DEAD = """
SELECT kind, to_address FROM notifications_message WHERE status = 'dead' ORDER BY created_at
"""
SETTLED = """
SELECT count(*) FROM notifications_message AS message
WHERE status <> 'uncertain' AND (uncertain_resends > 0 OR EXISTS (
    SELECT FROM notifications_deliveryattempt AS attempt
    WHERE attempt.message_id = message.id AND attempt.result = 'ambiguous'
))
"""
STORIES = """
SELECT id::text, status, status_reason, outcome, attempts, uncertain_resends, created_at::text, due_at::text,
    sent_at::text, settle_at::text, (
        SELECT json_agg(attempt ORDER BY number) FROM (
            SELECT number, recorded_at, provider, result, error_code, worker, duration_ms
            FROM notifications_deliveryattempt WHERE message_id = message.id
        ) AS attempt
    ) AS tries
FROM notifications_message AS message WHERE kind = %s AND to_address = %s ORDER BY created_at
"""


@dataclass(frozen=True)
class Rows:
    url: str

    def unsettled(self) -> list[Fact]:
        # To be sent or settled. Raises psycopg.OperationalError.
        return [(kind, address) for kind, address in self._ask(UNSETTLED)]

    def held(self) -> dict[str, Fact]:
        # By message id.
        return {message_id: (kind, address) for message_id, kind, address in self._ask(HELD)}

    def dead(self) -> list[Fact]:
        return [(kind, address) for kind, address in self._ask(DEAD)]

    def uncertain_settled(self) -> int:
        return int(self._ask(SETTLED)[0][0])

    def stories(self, fact: Fact) -> list[dict[str, Any]]:
        # With their attempts.
        with closing(psycopg.connect(self.url, row_factory=dict_row)) as connection:
            return connection.execute(STORIES, fact).fetchall()

    def _ask(self, query: LiteralString) -> list[tuple[Any, ...]]:
        with closing(psycopg.connect(self.url, connect_timeout=5)) as connection:
            return connection.execute(query).fetchall()
