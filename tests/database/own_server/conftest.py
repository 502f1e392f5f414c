"""A PostgreSQL that these tests stop, crash and freeze. One process runs them all, so only one such server starts."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from devtools.stack.ports import free_port
from devtools.stack.postgres import Postgres
from tests.database.faults import instead


class Own(Postgres):
    """A server as durable as a real one."""

    def crash(self) -> None:
        """Kill all its processes with SIGKILL: what was not written to the disk's cache is lost."""
        assert self.process is not None
        processes = self._suspended()
        for process in processes:
            process.kill()
        self.process.wait()
        self.process = None
        # The server does not start while one of them is left.
        psutil.wait_procs(processes, timeout=60)

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
    """Send all statements of this test to a running server without users and messages."""
    if own_server.process is None:
        own_server.start()
    with django_db_blocker.unblock(), instead(HOST="127.0.0.1", PORT=own_server.port, **_names(own_server)):
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE accounts_user, notifications_message CASCADE")
        yield own_server
        if own_server.process is None:
            own_server.start()


def _names(server: Own) -> dict[str, str]:
    return {"NAME": "mailroom", "USER": "mailroom", "PASSWORD": server.password}
