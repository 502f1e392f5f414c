"""A real broker with faults, for the benchmark and the tests of broker faults."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Self

import redis

from devtools.benchmarks.proxy import Proxy
from devtools.stack.ports import HOST, free_port
from devtools.stack.valkey import Valkey

SLOW_S = 0.1
AWAY_S = 2.0


class FaultyBroker:
    """A Valkey behind a proxy. Each fault is a context manager that lasts until its block ends."""

    def __init__(self, folder: Path) -> None:
        self.server = Valkey(folder, free_port(), durable=False)
        self.proxy = Proxy(self.server.port)

    def __enter__(self) -> Self:
        self.server.start()
        self.proxy.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.proxy.stop()
        self.server.stop()

    @property
    def url(self) -> str:
        return f"redis://:{self.server.password}@{HOST}:{self.proxy.port}/0"

    @contextmanager
    def operator(self) -> Iterator[redis.Redis]:
        # Bypasses the proxy.
        with redis.Redis.from_url(self.server.url, single_connection_client=True) as client:
            yield client

    @contextmanager
    def refused(self) -> Iterator[None]:
        self.proxy.vanish()
        try:
            yield
        finally:
            self.proxy.appear()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        # Accepts connections but does not answer.
        assert self.server.process  # noqa: S101 - it was started
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.server.process.send_signal(signal.SIGCONT)

    @contextmanager
    def slow(self) -> Iterator[None]:
        self.proxy.delay_s = SLOW_S
        try:
            yield
        finally:
            self.proxy.delay_s = 0.0

    @contextmanager
    def read_only(self) -> Iterator[None]:
        # Is the replica of a server that is down: only reads succeed.
        with self.operator() as client:
            client.replicaof(HOST, free_port())
            try:
                yield
            finally:
                client.replicaof("NO", "ONE")

    @contextmanager
    def full(self) -> Iterator[None]:
        with self.operator() as client:
            client.config_set("maxmemory", "1mb")
            try:
                yield
            finally:
                client.config_set("maxmemory", "0")

    @contextmanager
    def locked(self) -> Iterator[None]:
        # The password has changed.
        with self.operator() as client:
            client.config_set("requirepass", "another")
            client.client_kill_filter(_type="normal", skipme=True)
            try:
                yield
            finally:
                client.config_set("requirepass", self.server.password)

    @contextmanager
    def wiped(self) -> Iterator[None]:
        with self.operator() as client:
            client.flushall()
        yield

    @contextmanager
    def restarted(self) -> Iterator[None]:
        # Was down for a moment and has come back empty.
        self.proxy.vanish()
        self.server.stop()
        time.sleep(AWAY_S)
        self.server.start()
        self.proxy.appear()
        yield

    @property
    def faults(self) -> dict[str, Callable[[], AbstractContextManager[None]]]:
        return {
            fault.__name__: fault
            for fault in (
                *(self.refused, self.frozen, self.slow, self.read_only),
                *(self.full, self.locked, self.wiped, self.restarted),
            )
        }
