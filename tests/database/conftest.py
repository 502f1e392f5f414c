"""A PostgreSQL of these tests' own, to be stopped, crashed and frozen; and the processes' own way of connecting."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psutil
import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from config import connections
from devtools.stack.ports import free_port
from devtools.stack.postgres import Postgres
from tests.database.harm import instead

Pooled = Callable[..., Any]


class Own(Postgres):
    """As durable as a real one."""

    def crash(self) -> None:
        """End it as kill -9 of all its processes does: what was not written to the disk's cache is gone."""
        assert self.process is not None
        processes = self._suspended()
        for process in processes:
            process.kill()
        self.process.wait()
        self.process = None
        # It does not start while one of them is left.
        psutil.wait_procs(processes, timeout=10)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        processes = self._suspended()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    def _suspended(self) -> list[psutil.Process]:
        assert self.process is not None
        postmaster = psutil.Process(self.process.pid)
        postmaster.suspend()
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            process.suspend()
        return processes


@pytest.fixture(scope="session")
def own_server(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[Own]:
    server = Own(tmp_path_factory.mktemp("postgres"), free_port())
    try:
        with server:
            server.create_database()
            with django_db_blocker.unblock(), instead(HOST="127.0.0.1", PORT=server.port, **_names(server)):
                call_command("migrate", verbosity=0)
            yield server
    finally:
        server.destroy()


@pytest.fixture
def own(own_server: Own, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Own]:
    """The server that all of this test's statements go to; it is up, and empty of people and messages."""
    if own_server.process is None:
        own_server.start()
    with django_db_blocker.unblock(), instead(HOST="127.0.0.1", PORT=own_server.port, **_names(own_server)):
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE accounts_user, notifications_message CASCADE")
        yield own_server
        if own_server.process is None:
            own_server.start()


@pytest.fixture
def pooled() -> Iterator[Pooled]:
    """Connect as web processes and workers do: a function of what `config.connections.pool` takes."""
    wrapper: Any = connection
    options = connection.settings_dict["OPTIONS"]
    with ExitStack() as stack:

        def use(*, size: int = 20, statement_s: float = 10.0) -> Any:
            wrapper.close()
            options["pool"] = connections.pool(size=size, statement_s=statement_s)
            stack.callback(options.pop, "pool")
            stack.callback(wrapper.close_pool)
            stack.callback(wrapper.close)
            return wrapper.pool

        yield use


def _names(server: Own) -> dict[str, str]:
    return {"NAME": "mailroom", "USER": "mailroom", "PASSWORD": server.password}
