"""Ways in which a database fails. The client always gets the answer of a real server, or none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from devtools.stack.ports import free_port

TERMINATE = "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5);"


@contextmanager
def instead(**place: Any) -> Iterator[None]:
    """Send this process's statements to another place until the block ends."""
    connection.close()
    before = {name: connection.settings_dict[name] for name in place}
    connection.settings_dict.update(place)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


@contextmanager
def refused() -> Iterator[None]:
    """Connect to a port where no server listens, until the block ends."""
    with instead(HOST="127.0.0.1", PORT=free_port()):
        yield


@contextmanager
def read_only() -> Iterator[None]:
    """Open read-only sessions until the block ends."""
    with instead(OPTIONS={**connection.settings_dict["OPTIONS"], "options": "-c default_transaction_read_only=on"}):
        yield


@contextmanager
def by_hand() -> Iterator[psycopg.Connection[Any]]:
    """Connect to the same database without Django."""
    place = connection.settings_dict
    with psycopg.connect(
        host=place["HOST"],
        port=place["PORT"],
        dbname=place["NAME"],
        user=place["USER"],
        password=place["PASSWORD"],
        autocommit=True,
    ) as direct:
        yield direct


@contextmanager
def trouble(table: str, body: str, *, at_commit: bool = False) -> Iterator[None]:
    """Run `body` (PL/pgSQL) on the server for every row inserted into `table`, or at the commit after it."""
    when = "DEFERRABLE INITIALLY DEFERRED" if at_commit else ""
    with by_hand() as direct:
        direct.execute(
            f"CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
        )
        direct.execute(
            f"CREATE CONSTRAINT TRIGGER trouble AFTER INSERT ON {table} {when} FOR EACH ROW EXECUTE FUNCTION trouble()"
        )
    try:
        yield
    finally:
        connection.close()
        with by_hand() as direct:
            direct.execute(f"DROP TRIGGER trouble ON {table}")
            direct.execute("DROP FUNCTION trouble()")


def raising(sqlstate: str) -> str:
    """Return the PL/pgSQL that raises this error."""
    return f"RAISE EXCEPTION USING ERRCODE = '{sqlstate}', MESSAGE = 'a secret';"


def cut(victim: psycopg.Connection[Any], executioner: psycopg.Connection[Any]) -> None:
    """End the session of `victim` from outside, and return when it has ended."""
    executioner.execute("SELECT pg_terminate_backend(%s, 5000)", [victim.info.backend_pid])
