"""Distinguish a database outage, where a retry helps, from other errors."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import redis
from django.db import Error, InterfaceError, OperationalError, connection

from notifications.runtime.redis_client import Cooldown, client

# Classes and codes of SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_CLASSES = {
    "08",  # the connection
    "40",  # deadlock, serialization: a conflict with another transaction
    "53",  # disk full, out of memory, too many connections
    "57",  # shut down, crashed, starting up, cancelled for taking too long
    "58",  # the server's disk and system
}
_CODES = {
    "25006",  # read-only: a standby, or set by an operator
    "25P03",  # idle in a transaction for too long
    "25P04",  # a transaction took too long
    "55P03",  # a lock timed out
}
_DISK_FULL = "53100"
# Exists after a process found the server's disk full. Reading works then, and so do most updates, so the status reads
# this; a row might not be written.
DISK_FULL_KEY = "mailroom:disk-full"
DISK_FULL_FOR_S = 60
_noted = Cooldown(5.0)


# When a thread that retries its writes last found the database unavailable (monotonic).
_outage_seen_at = -math.inf


class DatabaseUnavailableError(Exception):
    """The database cannot answer now, but a retry may succeed. The text is the name of its error."""


def is_outage(error: BaseException | None) -> bool:
    # True if the same statement may succeed later. Every handler of database errors asks this, so a full disk is noted.
    if not isinstance(error, Error):
        return False
    if is_disk_full(error):
        _note_full_disk()
    if (sqlstate := _sqlstate(error)) is None:
        # The server refused, dropped or did not answer the connection, or the pool had none left.
        return isinstance(error, OperationalError | InterfaceError)
    return sqlstate in _CODES or sqlstate[:2] in _CLASSES


def is_full(error: BaseException) -> bool:
    # When all connections are in use, PostgreSQL gives no SQLSTATE, only a message.
    text = str(error)
    return "too many clients" in text or "remaining connection slots" in text


def is_disk_full(error: BaseException) -> bool:
    return isinstance(error, Error) and _sqlstate(error) == _DISK_FULL


def _note_full_disk() -> None:
    if _noted.active:
        return
    _noted.start()
    with suppress(redis.RedisError):
        client().set(DISK_FULL_KEY, "1", ex=DISK_FULL_FOR_S)


def error_name(error: BaseException) -> str:
    # "AdminShutdown". The error's text may contain data of rows.
    return type(error.__cause__ or error).__name__.lstrip("_")


@contextmanager
def raise_outage() -> Iterator[None]:
    try:
        yield
    except Error as error:
        if is_outage(error):
            raise DatabaseUnavailableError(error_name(error)) from None
        raise


def note_outage() -> None:
    # A thread that waits for the database is not stuck.
    global _outage_seen_at  # noqa: PLW0603 - one time for the process
    _outage_seen_at = time.monotonic()


def had_outage_since(since: float) -> bool:
    # `since` is on the monotonic clock.
    return _outage_seen_at >= since


def drop_connection() -> None:
    # Django keeps a lost connection until it is closed. Within a transaction, nothing is closed.
    if not connection.in_atomic_block:
        connection.close()


def _sqlstate(error: Error) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)
