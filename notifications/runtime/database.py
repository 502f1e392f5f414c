"""Tell an outage of the database, which passes, from a mistake, which does not."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, InterfaceError, OperationalError, connection

# Classes and codes of SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_CLASSES = {
    "08",  # the connection
    "40",  # deadlock, serialization: another transaction was in the way
    "53",  # disk full, out of memory, too many connections
    "57",  # shut down, crashed, starting up, cancelled for taking too long
    "58",  # the server's own disk and system
}
_CODES = {
    "25006",  # read-only: a standby, or an operator who keeps the last of the disk
    "25P03",  # idle in a transaction for too long
    "25P04",  # a transaction took too long
    "55P03",  # a lock was not to be had in time
}


# When a thread that retries until it has written last found the database unavailable (monotonic).
_outage_seen_at = -math.inf


class DatabaseUnavailableError(Exception):
    """The database cannot answer now; a later try can succeed. The text is the name of its error."""


def is_outage(error: BaseException | None) -> bool:
    # The database itself is in trouble, so the same statement may succeed later.
    if not isinstance(error, Error):
        return False
    if (sqlstate := _sqlstate(error)) is None:
        # The server did not answer: refused, cut, hung, or the pool had no connection left.
        return isinstance(error, OperationalError | InterfaceError)
    return sqlstate in _CODES or sqlstate[:2] in _CLASSES


def is_full(error: BaseException) -> bool:
    # When all connections are in use, PostgreSQL gives no SQLSTATE, only a sentence.
    text = str(error)
    return "too many clients" in text or "remaining connection slots" in text


def error_name(error: BaseException) -> str:
    # "AdminShutdown". The error's text may quote rows.
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
    # A thread that waits for the database is delayed, not stuck.
    global _outage_seen_at  # noqa: PLW0603 - one moment for the process
    _outage_seen_at = time.monotonic()


def had_outage_since(moment: float) -> bool:
    # `moment` is on the monotonic clock.
    return _outage_seen_at >= moment


def drop_connection() -> None:
    # Django keeps a lost connection until it is closed. A transaction has to end first, so nothing happens within one.
    if not connection.in_atomic_block:
        connection.close()


def _sqlstate(error: Error) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)
