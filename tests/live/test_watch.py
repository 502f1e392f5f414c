"""What an operator sees of a worker that is frozen, and of one that takes nothing."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from config.environment import BASE_DIR
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
    told = json.loads(done.stdout)
    assert bool(told["problems"]) == bool(done.returncode)
    return told


def codes(live):
    """The codes of what is wrong; what only waits for an operator is left out."""
    return [code for code in answer(live)["codes"] if code not in NOTICES]


def said(live, words):
    return any(words in problem for problem in answer(live)["problems"])


@contextmanager
def frozen(live, name):
    pid = live.stack.supervisor.ask("getProcessInfo", name)["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_frozen_worker_is_unhealthy_until_it_goes_on(live):
    eventually(lambda: not codes(live))
    with frozen(live, CRITICAL.name):
        eventually(lambda: not live.stack.healthy(CRITICAL.name))
        eventually(lambda: said(live, "critical@"))
    eventually(lambda: live.stack.healthy(CRITICAL.name) and not codes(live))


def test_broker_that_is_away_is_said_and_workers_are_well_again_after_it(live):
    eventually(lambda: not codes(live))
    live.stop("valkey")
    try:
        assert codes(live)[0] == Code.BROKER_AWAY
        eventually(lambda: not live.stack.healthy(CRITICAL.name))
    finally:
        live.start("valkey")
    eventually(lambda: live.stack.healthy(CRITICAL.name) and not codes(live))


def test_process_that_ends_in_order_is_not_missed(live):
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
