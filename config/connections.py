"""Database connections that survive an outage: pooled, with time limits, quick to recover."""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, Self, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

# Written against psycopg 3.3 and psycopg_pool 3.3. As shipped, both wait for a hung server without a limit, let all
# threads wait for a pool that cannot connect, and raise the pause between attempts to minutes. After a restart they
# find the dead connections one by one, with growing pauses.

T = TypeVar("T")

# How long a request waits for a connection. A restart takes less, so no user notices one.
WAIT_S = 5.0
# The same while the database is known to be down, so that the thread is soon free for the next request.
LOST_WAIT_S = 0.5
# After this long without a connection the database counts as down. Also the longest pause between two attempts.
RECONNECT_S = 1.0
CANCEL_S = 1.0
# A connection that was used within this time is not checked by asking the server.
TRUSTED_S = 1.0


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that waits at most `statement_s` and is closed when it is useless.

    It is useless if it is lost, if its server does not answer, or if its server is read-only: after a failover that is
    the old server. The pool's idle connections lead to the same server, so they are closed too.
    """

    statement_s: ClassVar[float]
    # When the pool was last emptied, and the pools whose timeout is raised again after the next successful connection.
    emptied_at: ClassVar[float]
    waits_less: ClassVar[set[ConnectionPool[Any]]]
    made_at = answered_at = 0.0

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:
        made_at = time.monotonic()
        made = super().connect(*args, **kwargs)
        made.made_at = made_at
        while cls.waits_less:
            cls.waits_less.pop().timeout = WAIT_S
        return made

    @classmethod
    def lost(cls, pool: ConnectionPool[Any]) -> None:
        pool.timeout = LOST_WAIT_S
        cls.waits_less.add(pool)

    def execute(self, query: Any, params: Any = None, **options: Any) -> psycopg.Cursor[Any]:
        # With an empty statement, the pool checks each connection that it gives out: a round trip and a commit.
        if query == "" and self._is_in_use():
            return self.cursor()
        return super().execute(query, params, **options)

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        with self._watched():
            answer = super().wait(gen, interval, self.statement_s if timeout is None else timeout)
        self.answered_at = time.monotonic()
        return answer

    def _is_in_use(self) -> bool:
        # A server that ends a session closes the connection: then there is something to read.
        if self.closed or time.monotonic() > self.answered_at + TRUSTED_S:
            return False
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        return not poll.poll(0)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except psycopg.errors.ReadOnlySqlTransaction:
            self._give_up()
            raise
        except psycopg.OperationalError:
            status = self.pgconn.transaction_status
            if status == TransactionStatus.ACTIVE:
                self._stop_waiting()
            if status in {TransactionStatus.ACTIVE, TransactionStatus.UNKNOWN}:
                self._give_up()
            raise

    def _stop_waiting(self) -> None:
        if isinstance(self._pool, ConnectionPool):
            self.lost(self._pool)
        # The server may only be slow. Cancel the statement, because its caller has stopped waiting.
        with suppress(psycopg.Error):
            self.cancel_safe(timeout=CANCEL_S)

    def _give_up(self) -> None:
        pool = self._pool
        self.close()
        if isinstance(pool, ConnectionPool) and self.made_at > self.emptied_at:
            type(self).emptied_at = time.monotonic()
            pool.drain()


def pool(*, size: int, statement_s: float) -> dict[str, Any]:
    # `size`: most connections. `statement_s`: how long each waits for an answer.
    class Connection(BoundedConnection):
        pass

    Connection.statement_s, Connection.emptied_at, Connection.waits_less = statement_s, 0.0, set()
    return {
        "min_size": 1,
        "max_size": size,
        "timeout": WAIT_S,
        "reconnect_timeout": RECONNECT_S,
        "reconnect_failed": Connection.lost,
        "connection_class": Connection,
    }
