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
from tests.live.running import eventually

pytestmark = [pytest.mark.live, pytest.mark.long]
CRITICAL = next(process for process in PROCESSES if process.name == "worker-critical")


def problems(live):
    done = subprocess.run(
        [sys.executable, "manage.py", "status", "--json"],
        cwd=BASE_DIR,
        env=live.stack.environment | {"MAILROOM_ROLE": "manage", "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(done.stdout)["problems"]
    assert bool(told) == bool(done.returncode)
    return told


def said(live, words):
    return any(words in problem for problem in problems(live))


@contextmanager
def frozen(live, name):
    pid = live.stack.supervisor.ask("getProcessInfo", name)["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_frozen_worker_is_unhealthy_until_it_goes_on(live):
    eventually(lambda: not problems(live), within_s=90)
    with frozen(live, CRITICAL.name):
        eventually(lambda: not live.stack.healthy(CRITICAL.name), within_s=60)
        eventually(lambda: said(live, "critical@"), within_s=60)
    eventually(lambda: live.stack.healthy(CRITICAL.name) and not problems(live), within_s=60)


def test_broker_that_is_away_is_said_and_workers_are_well_again_after_it(live):
    eventually(lambda: not problems(live), within_s=90)
    live.stop("valkey")
    try:
        assert problems(live)[0].startswith("Redis does not answer")
        eventually(lambda: not live.stack.healthy(CRITICAL.name), within_s=90)
    finally:
        live.start("valkey")
    eventually(lambda: live.stack.healthy(CRITICAL.name) and not problems(live), within_s=90)


def test_process_that_ends_in_order_is_not_missed(live):
    eventually(lambda: not problems(live), within_s=90)
    live.stop("worker-critical")
    try:
        # Another worker serves the stream too.
        assert problems(live) == []
        assert not live.sql("SELECT FROM notifications_processheartbeat WHERE name LIKE 'critical@%%'")
    finally:
        live.start("worker-critical")
    eventually(lambda: live.stack.healthy(CRITICAL.name), within_s=90)
