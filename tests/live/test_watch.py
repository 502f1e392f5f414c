"""What an operator sees of a frozen worker, of a lost broker and of a worker that stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from config.environment import BASE_DIR
from config.health import FRESH_S
from config.processes import PROCESSES
from notifications.operations.finding import NOTICES, Code
from tests.live.running import eventually

pytestmark = [pytest.mark.live, pytest.mark.long]
CRITICAL = next(process for process in PROCESSES if process.name == "worker-critical")


def answer(live):
    done = subprocess.run(
        [sys.executable, "manage.py", "status", "--json"],
        cwd=BASE_DIR,
        env=live.stack.environment | {"MAILROOM_ROLE": "manage", "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    status = json.loads(done.stdout)
    assert bool(status["problems"]) == bool(done.returncode)
    return status


def codes(live):
    """Return the codes of all problems, without those that only wait for an operator's decision."""
    return [code for code in answer(live)["codes"] if code not in NOTICES]


def reported(live, words):
    return any(words in problem for problem in answer(live)["problems"])


@contextmanager
def frozen(live, name):
    pid = live.stack.supervisor.ask("getProcessInfo", name)["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_frozen_worker_is_unhealthy_until_it_continues(live):
    eventually(lambda: not codes(live))
    with frozen(live, CRITICAL.name):
        eventually(lambda: not live.stack.healthy(CRITICAL.name))
        eventually(lambda: reported(live, "critical@"))
    eventually(lambda: live.stack.healthy(CRITICAL.name) and not codes(live))


def test_lost_broker_is_a_problem_and_makes_no_worker_unhealthy(live):
    """A restart of the worker would not bring the broker back."""
    eventually(lambda: not codes(live))
    before = live.pid(CRITICAL.name)
    live.stop("valkey")
    try:
        assert codes(live)[0] == Code.BROKER_AWAY
        # Every heartbeat from before the loss is too old by then.
        time.sleep(FRESH_S + 10)
        eventually(lambda: live.stack.healthy(CRITICAL.name))
    finally:
        live.start("valkey")
    eventually(lambda: live.stack.healthy(CRITICAL.name))
    eventually(lambda: not codes(live), within_s=300)
    assert live.pid(CRITICAL.name) == before


def test_stopped_process_is_not_a_problem(live):
    eventually(lambda: not codes(live))
    live.stop("worker-critical")
    try:
        # Another worker serves the stream too.
        assert codes(live) == []
        rows = live.sql("SELECT name FROM notifications_processheartbeat")
        assert not [name for (name,) in rows if name.startswith("critical@")]
    finally:
        live.start("worker-critical")
    eventually(lambda: live.stack.healthy(CRITICAL.name))
