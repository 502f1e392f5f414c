"""Transactions that hold locks which others wait for, or skip."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InternalError, OperationalError, connection, transaction
from psycopg.errors import IdleInTransactionSessionTimeout

# Far more than the pauses of a busy machine, far less than a lease.
IDLE_S = 10.0


@contextmanager
def short_transaction() -> Iterator[None]:
    """Open a transaction whose locks end soon, even if its process hangs.

    The server ends the session then, and the next statement raises OperationalError. The limits are set here and not on
    connecting, because a pooler need not pass those on.
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
