"""What the database's errors mean: is it the database's trouble, which passes, or a mistake, which does not?"""

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


# When a step that insists on its writing last found the database away (monotonic).
_seen_away_at = -math.inf


class DatabaseAwayError(Exception):
    """The database cannot do anything now; later it can. The text is the name of what it said."""


def is_away(error: BaseException | None) -> bool:
    """True if the same may well succeed in a moment, for it is the database that is in trouble."""
    if not isinstance(error, Error):
        return False
    if (sqlstate := _sqlstate(error)) is None:
        # Nobody answered: refused, cut, hung, or no connection to be had from the pool.
        return isinstance(error, OperationalError | InterfaceError)
    return sqlstate in _CODES or sqlstate[:2] in _CLASSES


def is_full(error: BaseException) -> bool:
    """True if PostgreSQL refused a connection because all are in use. It gives no SQLSTATE then, only a sentence."""
    text = str(error)
    return "too many clients" in text or "remaining connection slots" in text


def why(error: BaseException) -> str:
    """Return the name of what the database said: "AdminShutdown". Its texts can hold what is in the rows."""
    return type(error.__cause__ or error).__name__.lstrip("_")


@contextmanager
def translated() -> Iterator[None]:
    """Raise DatabaseAwayError for a database that is away."""
    try:
        yield
    except Error as error:
        if is_away(error):
            raise DatabaseAwayError(why(error)) from None
        raise


def note_away() -> None:
    """Remember that a thread waits for the database now: it is held up and not stuck."""
    global _seen_away_at  # noqa: PLW0603 - one moment for the process
    _seen_away_at = time.monotonic()


def was_away_since(moment: float) -> bool:
    """True if a thread has waited for the database since that moment of the monotonic clock."""
    return _seen_away_at >= moment


def let_go() -> None:
    """Let the next statement have another connection. Django goes on with one that is lost until somebody closes it.

    Within a transaction it does nothing: the transaction is what has to end.
    """
    if not connection.in_atomic_block:
        connection.close()


def _sqlstate(error: Error) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)
