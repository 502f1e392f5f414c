"""Pooled connections to a server that is restarted, stopped, frozen and read-only."""

import runpy
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import InternalError, connection

from config import connections
from config.environment import BASE_DIR
from notifications.runtime.database import DatabaseUnavailableError, is_outage, raise_outage
from tests.database.faults import by_hand
from tests.live.running import eventually

pytestmark = pytest.mark.long


def ask(query="SELECT 1"):
    """Query as a request or a task does: with a connection that is returned to the pool afterwards."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]
    finally:
        connection.close()


def outcome(query="SELECT 1"):
    """Return the answer, or the name of the error."""
    try:
        with raise_outage():
            return ask(query)
    except DatabaseUnavailableError as error:
        return str(error)


def concurrently(clients, query="SELECT 1 FROM pg_sleep(0.05)"):
    with ThreadPoolExecutor(clients) as threads:
        return list(threads.map(outcome, [query] * clients))


@contextmanager
def lock(table):
    with by_hand() as direct, direct.transaction():
        direct.execute(f"LOCK TABLE {table}")
        yield


@pytest.fixture
def patient(monkeypatch):
    """Let a busy machine take longer than users would wait."""
    monkeypatch.setattr(connections, "WAIT_S", 60.0)
    monkeypatch.setattr(connections, "RECONNECT_S", 60.0)


@pytest.fixture(params=[0, 3600], ids=["asked", "trusted"])
def checked(request, monkeypatch):
    """Let the pool ask the server whether a connection works, or trust one that nothing has closed."""
    monkeypatch.setattr(connections, "TRUSTED_S", request.param)


@pytest.mark.usefixtures("patient", "checked")
def test_first_requests_after_a_restart_do_not_fail(own, pooled):
    pooled()
    assert concurrently(8) == [1] * 8
    own.stop()
    own.start()
    assert concurrently(8) == [1] * 8


@pytest.mark.usefixtures("patient", "checked")
def test_first_requests_after_a_crash_do_not_fail(own, pooled):
    pooled()
    assert concurrently(8) == [1] * 8
    own.crash()
    own.start()
    assert concurrently(8) == [1] * 8


def test_connection_that_was_just_used_is_not_checked(own, pooled, monkeypatch):
    monkeypatch.setattr(connections, "TRUSTED_S", 3600)
    pooled(size=1)
    ask()
    with by_hand() as direct:
        found = "SELECT query FROM pg_stat_activity WHERE pid = %s"
        server = ask("SELECT pg_backend_pid()")
        connection.ensure_connection()
        assert direct.execute(found, [server]).fetchone() == ("SELECT pg_backend_pid()",)
    connection.close()


@pytest.mark.usefixtures("patient")
def test_requests_wait_for_a_server_that_restarts(own, pooled):
    pooled()
    ask()
    own.stop()
    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(outcome) for _ in range(4)]
        time.sleep(0.5)
        own.start()
        assert [answer.result() for answer in answers] == [1] * 4


def test_requests_wait_only_briefly_after_the_first_has_found_no_connection(own, pooled, monkeypatch):
    monkeypatch.setattr(connections, "WAIT_S", 1.5)
    pool = pooled()
    ask()
    own.stop()
    assert outcome() == "PoolTimeout"
    assert pool.timeout == connections.LOST_WAIT_S
    own.start()
    eventually(lambda: outcome() == 1)
    assert pool.timeout == 1.5


def test_frozen_server_delays_only_the_first_request(own, pooled, monkeypatch):
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "connect_timeout", 2)
    pool = pooled(statement_s=2)
    assert concurrently(4) == [1] * 4
    with own.frozen():
        # The statement waits if its connection was just used, else the pool's check.
        assert outcome() in {"WaitTimeout", "PoolTimeout"}
        assert pool.timeout == connections.LOST_WAIT_S
        assert concurrently(4) == ["PoolTimeout"] * 4
    # The attempts that met the frozen server have to end first.
    eventually(lambda: outcome() == 1)
    assert concurrently(4) == [1] * 4


def test_statement_whose_client_gave_up_ends_at_the_server_too(own, pooled):
    pooled(statement_s=2)
    with lock("accounts_user"):
        assert outcome("SELECT count(*) FROM accounts_user") == "WaitTimeout"
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        eventually(lambda: ask(waiting) == 0)
    assert outcome("SELECT count(*) FROM accounts_user") == 0


def test_connection_to_a_read_only_server_is_not_used_again(own, pooled):
    """After a failover the name leads to the new server, but the pool still has connections to the old one."""
    pooled()
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        with pytest.raises(InternalError, match="read-only") as raised:
            cursor.execute("DELETE FROM accounts_user")
    assert is_outage(raised.value)
    connection.close()
    assert ask("SHOW transaction_read_only") == "off"


def test_connection_is_kept_after_an_error_of_the_statement(own, pooled):
    pooled(size=1)
    before = ask("SELECT pg_backend_pid()")
    with pytest.raises(Exception, match="division by zero"):
        ask("SELECT 1 / 0")
    assert ask("SELECT pg_backend_pid()") == before


@pytest.mark.usefixtures("patient")
def test_exhausted_pool_counts_as_an_outage(own, pooled):
    pool = pooled(size=2)
    assert concurrently(2, "SELECT 1 FROM pg_sleep(0.5)") == [1, 1]
    pool.timeout = 0.2
    assert sorted(concurrently(4, "SELECT 'ok' FROM pg_sleep(3)")) == ["PoolTimeout", "PoolTimeout", "ok", "ok"]


@pytest.mark.parametrize(
    ("role", "waits_s"), [("web", 10), ("worker", 120), ("relay", 120), ("beat", 120), ("manage", None)]
)
def test_statement_timeout_of_each_role(monkeypatch, role, waits_s):
    monkeypatch.setattr("config.environment.ROLE", role)
    pool = runpy.run_path(str(BASE_DIR / "config/settings.py"))["DATABASES"]["default"]["OPTIONS"].get("pool")
    assert (pool and pool["connection_class"].statement_s) == waits_s
