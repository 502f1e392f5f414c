"""Transactions that hold locks others wait for, or pass over."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InternalError, OperationalError, connection, transaction
from psycopg.errors import IdleInTransactionSessionTimeout

# Far more than the pauses of a busy machine, far less than a lease.
IDLE_S = 10.0


@contextmanager
def short_transaction() -> Iterator[None]:
    """A transaction whose locks are gone soon even if its process is frozen, or its machine cut off, in the middle.

    The server ends the session then, and the next statement raises OperationalError. Said here and not when connecting:
    a pooler between us and the server need not pass on what is said there.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [f"{IDLE_S}s"])
            yield
    except InternalError as error:
        # Its class of codes (25) is the one of invalid transaction states, but it is a connection that has ended.
        if isinstance(error.__cause__, IdleInTransactionSessionTimeout):
            raise OperationalError("the transaction was idle for too long") from error
        raise
