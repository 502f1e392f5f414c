"""Transactions whose locks other processes wait for, or skip."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InternalError, OperationalError, connection, transaction
from psycopg.errors import IdleInTransactionSessionTimeout

#: Far more than the pauses of a busy machine, far less than a lease.
IDLE_S = 10.0


@contextmanager
def short_transaction() -> Iterator[None]:
    """Open a transaction whose locks end soon, even if its process hangs.

    If it hangs, the server ends the session, and the next statement raises OperationalError. The limit is set here and
    not on connecting, because poolers may drop it there.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [f"{IDLE_S}s"])
            yield
    except InternalError as error:
        # Its SQLSTATE class (25) means an invalid transaction state, but the server has closed the connection.
        if isinstance(error.__cause__, IdleInTransactionSessionTimeout):
            raise OperationalError("the transaction was idle for too long") from error
        raise
