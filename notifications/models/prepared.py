"""Statements that the server plans once per session, not for each email."""

import time
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor  # type: ignore[attr-defined] # not in the stubs
from django.db.backends.postgresql.psycopg_any import BaseTzLoader  # type: ignore[import-untyped] # not in the stubs
from django.db.backends.utils import CursorWrapper

from notifications.models.message import Message

#: A plan for a small table reads all of it, and would be kept while the table grows.
SMALL_BYTES = 2 * 1024 * 1024
LOOK_AGAIN_S = 5.0
# Behind a pooler, the session that answers is not the one that was opened, and the next transaction may get another.
# The plan is the same for all parameters; PostgreSQL would plan each time, because it cannot know how many ids follow.
_BEGIN = """
SELECT set_config('plan_cache_mode', 'force_generic_plan', false)
WHERE pg_backend_pid() = %s AND pg_relation_size(%s::regclass) >= %s
"""
# Whether a session may prepare statements, and when this was found out.
_found: WeakKeyDictionary[psycopg.Connection[Any], tuple[bool, float]] = WeakKeyDictionary()


class UtcLoader(BaseTzLoader):  # type: ignore[misc]
    """Loads the same times as Django's loader, in a tenth of its CPU time."""

    timezone = UTC

    def load(self, data: Any) -> Any:
        try:
            loaded = datetime.fromisoformat(bytes(data).decode())
        except ValueError:
            # Infinity, or a year that Python does not know.
            return super().load(data)
        return loaded if loaded.tzinfo is UTC else super().load(data)


class PreparingCursor(ServerBindingCursor):  # type: ignore[misc]
    """Prepares each statement when it is first executed."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        try:
            return super().execute(query, params, **options, prepare=True)
        except psycopg.errors.FeatureNotSupported:
            # A migration changed the type of a column that the statement returns. Nothing was executed.
            _found[self.connection] = False, float("inf")
            if self.connection.pgconn.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                raise
            return super().execute(query, params, **options, prepare=False)


def prepared_cursor() -> CursorWrapper:
    """Return a cursor for a statement that runs for each email.

    Its text is the same each time, and has the constants that a partial index needs. Behind a pooler, and while the
    table is small, the cursor is a usual one.
    """
    cursor = _cursor()
    if connection.timezone is UTC:
        cursor.adapters.register_loader("timestamptz", UtcLoader)
    return cursor


def _cursor() -> CursorWrapper:
    connection.ensure_connection()
    session = connection.connection
    if not _may_prepare(session):
        return connection.cursor()
    usual = session.cursor_factory
    session.cursor_factory = PreparingCursor
    try:
        return connection.cursor()
    finally:
        session.cursor_factory = usual


def _may_prepare(session: "psycopg.Connection[Any]") -> bool:
    allowed, at = _found.get(session, (False, float("-inf")))
    # A transaction that is rolled back would undo the setting.
    if not (allowed or connection.in_atomic_block) and time.monotonic() >= at + LOOK_AGAIN_S:
        with connection.wrap_database_errors:
            mine = [session.info.backend_pid, Message._meta.db_table, SMALL_BYTES]  # noqa: SLF001 - Django documents it
            allowed = session.execute(_BEGIN, mine).fetchone() is not None
        _found[session] = allowed, time.monotonic()
        # Concerns this module's cursor only: Django's own never prepares.
        session.prepare_threshold = 0 if allowed else None
    return allowed
