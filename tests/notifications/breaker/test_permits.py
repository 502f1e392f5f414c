"""The shared circuits on a real Valkey. Its times are shifted, because its clock cannot be."""

import logging
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
import redis
from django.conf import settings

from config.environment import BASE_DIR
from devtools.stack.ports import free_port
from devtools.stack.valkey import Valkey
from notifications.breaker import permits, store
from notifications.breaker.circuit import CLOSED, CONSECUTIVE_FAILURES
from notifications.breaker.permits import Effect, Permit, acquire, release, report
from notifications.providers.base.sending import Accepted, ProviderError
from notifications.rules.retry import ErrorClass
from notifications.runtime import redis_client
from notifications.runtime.redis_client import client, cooldown
from tests.live.running import eventually
from tests.notifications.breaker.breakers import let_pass, open_circuit, probe, until_probe

pytestmark = pytest.mark.usefixtures("valkey")

TAKEN = Accepted("an id")
DOWN = ProviderError(ErrorClass.TRANSIENT, "http-503")
BAD_KEY = ProviderError(ErrorClass.MISCONFIGURED, "bad-key", "the key secret-of-ours is not known")


def as_another_process():
    """Continue as a new process; the data in Redis stays."""
    permits.reset()


def test_closed_circuit_grants_permits():
    assert acquire("ses") == Permit("ses")


def test_failures_of_several_processes_open_one_circuit():
    for _ in range(CONSECUTIVE_FAILURES):
        as_another_process()
        permit = acquire("ses")
        effect = report(permit, DOWN)
    assert effect == Effect(tripped=True)
    as_another_process()
    assert acquire("ses") is None
    assert acquire("sendgrid") == Permit("sendgrid")


def test_concurrent_failures_are_all_counted():
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: report(Permit("ses"), DOWN), range(CONSECUTIVE_FAILURES - 1)))
    assert store.current("ses")[0].failures == CONSECUTIVE_FAILURES - 1
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: report(Permit("ses"), DOWN), range(30)))
    # Answers after the opening belong to calls that began before.
    assert store.current("ses")[0].trips == 1


def test_success_clears_the_failures_before_it():
    for answer in [*[DOWN] * 4, TAKEN, *[DOWN] * 4]:
        assert report(acquire("ses"), answer) == Effect(tripped=False)
    as_another_process()
    report(acquire("ses"), TAKEN)
    assert client().get(store.key("ses")) is None


def test_broken_set_up_opens_immediately_and_is_logged_once(caplog):
    assert report(acquire("ses"), BAD_KEY).tripped
    report(Permit("ses"), BAD_KEY)
    report(probe(), BAD_KEY)
    (alarm,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "ses" in alarm.getMessage()
    assert "bad-key" in alarm.getMessage()
    assert "secret" not in caplog.text


def test_throttling_opens_nothing():
    for _ in range(20):
        assert not report(acquire("ses"), ProviderError(ErrorClass.RATE_LIMITED, "429")).tripped
    assert store.current("ses")[0] == CLOSED


def test_successful_probe_closes_the_circuit_for_all_processes():
    open_circuit("ses")
    assert report(probe(), TAKEN) == Effect(tripped=False)
    as_another_process()
    assert acquire("ses") == Permit("ses")


def test_failed_probe_lengthens_the_pause():
    open_circuit("ses")
    permit = probe()
    assert report(permit, DOWN) == Effect(tripped=True, failed_probe=True)
    release(permit)
    let_pass("ses", 3.9)
    assert acquire("ses") is None
    let_pass("ses", 0.2)
    assert acquire("ses").prober


def test_unanswered_probe_makes_the_next_one_due():
    open_circuit("ses")
    release(probe())
    assert acquire("ses").prober


def test_only_one_of_many_threads_probes():
    open_circuit("ses")
    until_probe("ses")
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: acquire("ses"), range(40)))
    assert len([permit for permit in got if permit]) == 1


ASK = """
import sys, time, django
django.setup()
from concurrent.futures import ThreadPoolExecutor
from notifications.breaker.permits import acquire
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(4) as pool:
    print(sum(1 for permit in pool.map(lambda _: acquire("ses"), range(20)) if permit), flush=True)
time.sleep(float(sys.argv[1]))
"""


@contextmanager
def processes(count, *, stay_s=0):
    """Run processes that request 20 permits on a signal, and print how many they got."""
    command = [sys.executable, "-c", ASK, str(stay_s)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(command, cwd=BASE_DIR, **pipes) for _ in range(count)]
    try:
        assert [process.stdout.readline() for process in running] == ["ready\n"] * count
        yield running
    finally:
        for process in running:
            process.kill()
            process.communicate()


def ask(running):
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    return [int(process.stdout.readline()) for process in running]


def test_only_one_of_several_processes_probes():
    open_circuit("ses")
    with processes(3) as running:
        until_probe("ses")
        assert sorted(ask(running)) == [0, 0, 1]


def test_probe_of_a_killed_process_ends_with_its_lease():
    open_circuit("ses")
    with processes(1, stay_s=60) as running:
        until_probe("ses")
        assert ask(running) == [1]
    assert acquire("ses") is None
    let_pass("ses", settings.PROVIDER_DEADLINE_S)
    assert acquire("ses") is None
    let_pass("ses", 2 + permits.PROBE_MARGIN_S)
    assert acquire("ses").prober


class Commands:
    """Counts the commands that Redis gets."""

    def __init__(self, monkeypatch):
        self.count = 0
        execute = redis.connection.Connection.send_packed_command

        def counting(connection, *arguments, **options):
            self.count += 1
            return execute(connection, *arguments, **options)

        monkeypatch.setattr(redis.connection.Connection, "send_packed_command", counting)


def test_accepted_email_costs_no_call_to_redis(monkeypatch):
    monkeypatch.setattr(permits, "CACHE_S", 3600.0)
    # On a busy machine, the cache of the first answer may have expired.
    eventually(lambda: acquire("ses") and "ses" in permits._healthy)
    commands = Commands(monkeypatch)
    for _ in range(100):
        report(acquire("ses"), TAKEN)
    assert commands.count == 0


def test_findings_of_other_processes_are_seen_after_the_cache_time(monkeypatch):
    monkeypatch.setattr(permits, "CACHE_S", 3600.0)
    assert acquire("ses") == Permit("ses")
    remembered = dict(permits._healthy)
    open_circuit("ses")
    permits._healthy.update(remembered)
    assert acquire("ses") == Permit("ses")
    monkeypatch.setattr(permits, "CACHE_S", 0.0)
    assert acquire("ses") is None


def test_wiped_redis_starts_with_closed_circuits():
    open_circuit("ses")
    client().flushdb()
    assert acquire("ses") == Permit("ses")


@pytest.mark.parametrize("written", [b"{", b"[]", b'{"of_another_version": 1}'])
def test_state_that_cannot_be_read_counts_as_closed_and_is_replaced(written):
    client().set(store.key("ses"), written)
    assert acquire("ses") == Permit("ses")
    open_circuit("ses")
    assert acquire("ses") is None


@contextmanager
def redis_at(monkeypatch, url):
    """Let the circuits use another Redis."""
    with redis_client.new_client(url) as other, monkeypatch.context() as patch:
        patch.setattr(store, "client", lambda: other)
        yield


@pytest.fixture
def own_valkey(monkeypatch, tmp_path):
    """A Valkey for the circuits alone, to be stopped and started."""
    server = Valkey(tmp_path, free_port(), durable=False)
    server.start()
    with redis_at(monkeypatch, server.url):
        yield server
    server.stop()


def test_same_rules_hold_within_a_process_during_an_outage_of_redis(own_valkey, caplog):
    own_valkey.stop()
    for _ in range(CONSECUTIVE_FAILURES):
        assert acquire("ses") == Permit("ses")
        effect = report(Permit("ses"), DOWN)
    assert effect.tripped
    assert acquire("ses") is None
    assert cooldown.active
    assert [record.name for record in caplog.records].count(store.__name__) == 1


def test_outage_of_redis_closes_no_open_circuit(own_valkey):
    open_circuit("ses")
    own_valkey.stop()
    assert acquire("ses") is None


def test_probes_continue_during_an_outage_of_redis(own_valkey):
    own_valkey.stop()
    open_circuit("ses")
    seen = store._seen["ses"]
    store._seen["ses"] = replace(seen, opened_at=seen.opened_at - 3)
    permit = acquire("ses")
    assert permit.prober
    assert acquire("ses") is None
    report(permit, TAKEN)
    assert acquire("ses") == Permit("ses")


def test_processes_share_circuits_again_after_an_outage_of_redis(own_valkey):
    own_valkey.stop()
    open_circuit("ses")
    own_valkey.start()
    assert acquire("ses") is None
    cooldown.clear()
    assert acquire("ses") == Permit("ses")


def test_hanging_redis_costs_one_timeout_in_total(monkeypatch):
    with socket.socket() as hung:
        hung.bind(("127.0.0.1", 0))
        hung.listen()
        monkeypatch.setattr(redis_client, "TIMEOUT_S", 0.2)
        with redis_at(monkeypatch, f"redis://127.0.0.1:{hung.getsockname()[1]}/0"):
            commands = Commands(monkeypatch)
            for _ in range(20):
                acquire("ses")
                report(Permit("ses"), DOWN)
            assert commands.count <= 2
