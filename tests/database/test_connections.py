"""Connections as web processes and workers have them, to a server that is restarted, stopped, frozen and read-only."""

import runpy
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import InternalError, connection

from config import connections
from config.environment import BASE_DIR
from notifications.runtime.database import DatabaseUnavailableError, is_outage, raise_outage
from tests.database.harm import by_hand

pytestmark = pytest.mark.xdist_group("database")


def ask(query="SELECT 1"):
    """Ask as a request or a task does: with a connection that is given back afterwards."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]
    finally:
        connection.close()


def outcome(query="SELECT 1"):
    """Return the answer, or the name of the trouble."""
    try:
        with raise_outage():
            return ask(query)
    except DatabaseUnavailableError as error:
        return str(error)


def at_once(people, query="SELECT 1 FROM pg_sleep(0.05)"):
    with ThreadPoolExecutor(people) as threads:
        return list(threads.map(outcome, [query] * people))


@contextmanager
def lock(table):
    with by_hand() as direct, direct.transaction():
        direct.execute(f"LOCK TABLE {table}")
        yield


def test_first_requests_after_a_restart_do_not_fail(own, pooled):
    pooled()
    assert at_once(8) == [1] * 8
    own.stop()
    own.start()
    assert at_once(8) == [1] * 8


def test_first_requests_after_a_crash_do_not_fail(own, pooled):
    pooled()
    assert at_once(8) == [1] * 8
    own.crash()
    own.start()
    assert at_once(8) == [1] * 8


def test_restart_in_between_is_waited_for(own, pooled):
    pooled()
    ask()
    own.stop()
    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(outcome) for _ in range(4)]
        time.sleep(0.5)
        own.start()
        assert [answer.result() for answer in answers] == [1] * 4


def test_nobody_waits_long_once_it_is_known_that_there_is_no_connection(own, pooled, monkeypatch):
    monkeypatch.setattr(connections, "WAIT_S", 1.5)
    pool = pooled()
    ask()
    own.stop()
    assert outcome() == "PoolTimeout"
    assert pool.timeout == connections.LOST_WAIT_S
    own.start()
    assert outcome() == 1
    assert pool.timeout == 1.5


def test_frozen_server_is_not_waited_for_and_nobody_waits_for_it_again(own, pooled, monkeypatch):
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "connect_timeout", 2)
    pool = pooled(statement_s=0.3)
    assert at_once(4) == [1] * 4
    with own.frozen():
        assert outcome() == "PoolTimeout"
        assert pool.timeout == connections.LOST_WAIT_S
        assert at_once(4) == ["PoolTimeout"] * 4
    # The tries that met the frozen server have to end first.
    while (answer := outcome()) == "PoolTimeout":
        pass
    assert answer == 1
    assert at_once(4) == [1] * 4


def test_statement_that_nobody_waits_for_any_more_ends_at_the_server_too(own, pooled):
    pooled(statement_s=0.3)
    with lock("accounts_user"):
        assert outcome("SELECT count(*) FROM accounts_user") == "WaitTimeout"
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while ask(waiting):
            time.sleep(0.02)
    assert outcome("SELECT count(*) FROM accounts_user") == 0


def test_connection_to_a_read_only_server_is_not_used_again(own, pooled):
    """A fail-over: the name leads elsewhere by now, but the pool's connections are still to the old server."""
    pooled()
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        with pytest.raises(InternalError, match="read-only") as raised:
            cursor.execute("DELETE FROM accounts_user")
    assert is_outage(raised.value)
    connection.close()
    assert ask("SHOW transaction_read_only") == "off"


def test_error_that_is_not_the_connections_fault_keeps_it(own, pooled):
    pooled(size=1)
    before = ask("SELECT pg_backend_pid()")
    with pytest.raises(Exception, match="division by zero"):
        ask("SELECT 1 / 0")
    assert ask("SELECT pg_backend_pid()") == before


def test_exhausted_pool_is_a_database_that_is_away(own, pooled, monkeypatch):
    monkeypatch.setattr(connections, "WAIT_S", 0.2)
    pooled(size=2)
    assert sorted(at_once(4, "SELECT 'ok' FROM pg_sleep(1)")) == ["PoolTimeout", "PoolTimeout", "ok", "ok"]


@pytest.mark.parametrize(
    ("role", "waits_s"), [("web", 10), ("worker", 120), ("relay", 120), ("beat", 120), ("manage", None)]
)
def test_who_waits_how_long(monkeypatch, role, waits_s):
    monkeypatch.setattr("config.environment.ROLE", role)
    pool = runpy.run_path(str(BASE_DIR / "config/settings.py"))["DATABASES"]["default"]["OPTIONS"].get("pool")
    assert (pool and pool["connection_class"].statement_s) == waits_s
