"""Additional databases on the suite's server: Django's connection is sent to one of them for a while."""

import gzip
import json
import re
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from django.contrib.contenttypes.models import ContentType
from django.db import connection

FILLED = Path(__file__).parent / "filled.sql.gz"
_WORDING = re.compile(r"::(character varying|text)|[()\[\]\s]")
# Shift all times, so that the release before seems to have stopped just now.
_SHIFT = """
DO $$ DECLARE
    passed interval := now() - (SELECT max(beat_at) FROM public.notifications_processheartbeat);
    target record;
BEGIN
    FOR target IN
        SELECT table_name, string_agg(format('%1$I = %1$I + %2$L::interval', column_name, passed), ', ') AS changes
        FROM information_schema.columns
        WHERE table_schema = 'public' AND data_type = 'timestamp with time zone' GROUP BY table_name
    LOOP
        EXECUTE format('UPDATE public.%I SET %s', target.table_name, target.changes);
    END LOOP;
END $$
"""


@contextmanager
def new_database():
    """Send Django to a new, empty database."""
    name, own = f"upgrade_{uuid4().hex}", connection.settings_dict["NAME"]
    _on_server(f"CREATE DATABASE {name}")
    _use(name)
    try:
        yield
    finally:
        _use(own)
        _on_server(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def filled_database():
    """Send Django to a new database, filled by the release before this one."""
    with new_database():
        with connection.cursor() as cursor:
            cursor.execute(gzip.decompress(FILLED.read_bytes()).decode())
            cursor.execute(_SHIFT)
        # After the dump, the session has no search path.
        connection.close()
        yield


def rows_of(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def snapshot():
    """Return every row of every table, as a dictionary of its columns."""
    tables = [name for (name,) in rows_of("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return {
        name: [json.loads(row) for (row,) in rows_of(f'SELECT to_jsonb(one)::text FROM "{name}" AS one')]  # noqa: S608
        for name in tables
    }


def columns():
    """Return, by table and column, its type, its length and whether an INSERT may leave it out."""
    found = rows_of("""
        SELECT table_name, column_name, data_type, character_maximum_length,
            is_nullable = 'YES' OR column_default IS NOT NULL OR is_identity = 'YES'
        FROM information_schema.columns WHERE table_schema = 'public'
    """)
    return {(table, column): description for table, column, *description in found}


def schema():
    """Return all columns, constraints and indexes, without casts and brackets, which a dump writes differently."""
    columns = """
        SELECT table_name, column_name, data_type, is_nullable, column_default, character_maximum_length
        FROM information_schema.columns WHERE table_schema = 'public'
    """
    constraints = """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
    """
    indexes = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    lines = [line for statement in (columns, constraints, indexes) for line in rows_of(statement)]
    return {_WORDING.sub("", " ".join(map(str, line))) for line in lines}


def _use(name):
    connection.close()
    connection.settings_dict["NAME"] = name
    # The other database has other ids.
    ContentType.objects.clear_cache()


def _on_server(statement):
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)
