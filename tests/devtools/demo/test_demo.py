"""The demo fails for a lost or duplicated email, and names what was slow."""

import os

import pytest

from config.environment import BASE_DIR
from devtools.chaos.checker import Duplicate, Verdict
from devtools.chaos.workload import Result
from devtools.demo.report import DemoFigures, delays, failures, last_line, table
from tests import forked
from tests.devtools.chaos.examples import operation

ADA = ("welcome", "a@x.example")


def verdict(**changes):
    values = {"accepted": 1, "sent": 1, "lost": [], "duplicates": [], "strays": []}
    return Verdict(**{**values, **changes})


def copy(why=""):
    return Duplicate(fact=ADA, message_id="m1", provider="simulator", accepted_at="2026-11-24T10:00:00+00:00", why=why)


def figures(**changes):
    values = {
        "queued": [operation("a@x.example", took_s=0.04), operation("a@x.example", "password-reset", took_s=0.01)],
        "inline": [operation("b@x.example", took_s=2.0)],
        "verdict": verdict(),
        "waits_s": {"critical": [0.5], "default": [1.0], "bulk": []},
        "statuses": {"sent": 1},
        "took_s": 60.0,
    }
    return DemoFigures(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "failed", "slow"),
    [
        ({}, 0, 0),
        ({"verdict": verdict(sent=0, lost=[ADA])}, 1, 0),
        ({"verdict": verdict(sent=2, duplicates=[copy()])}, 1, 0),
        ({"verdict": verdict(sent=2, duplicates=[copy("its answer was lost")])}, 1, 0),
        ({"queued": [operation("a@x.example", took_s=0.051)]}, 0, 1),
        ({"queued": [operation("a@x.example", result=Result.REJECTED)]}, 2, 0),
        ({"queued": []}, 1, 0),
        ({"queued": [operation("a@x.example", took_s=0.51)]}, 1, 0),
        ({"waits_s": {"critical": [1.1], "default": [], "bulk": [9.0]}}, 0, 1),
        ({"waits_s": {"critical": [9.1], "default": [], "bulk": [9.0]}}, 1, 1),
        ({"waits_s": {"critical": [0.9], "default": [], "bulk": [0.1]}}, 0, 0),
        ({"took_s": 181.0}, 0, 1),
    ],
)
def test_each_failure_and_delay_is_named(changes, failed, slow):
    found = figures(**changes)
    assert (len(list(failures(found))), len(list(delays(found)))) == (failed, slow)


def test_last_line_has_its_documented_form():
    line = last_line(figures())
    assert line.startswith("demo: signups=1 resets=1 bulk=0 sent=0 lost=0 duplicated=0 ")
    assert dict(part.split("=") for part in line.split()[1:])["ratio"] == "50.0"


def test_table_has_a_row_for_each_page_and_stream():
    rows = [line for line in table(figures()).splitlines() if line.startswith("  ") and line.split()[0] != "p50"]
    assert [line.split()[-1] for line in rows] == ["40", "10", "2000", "0.50", "1.00", "0.00"]


def test_inline_sign_up_shows_the_same_form():
    # In a separate process, because it disconnects a signal.
    show = "from django.test import Client; print(Client(SERVER_NAME='127.0.0.1').get('/sign-up/').status_code)"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "devtools.demo.old_settings", "DEBUG": "1"}
    shown = forked.run("-c", f"import django; django.setup(); {show}", folder=BASE_DIR, environment=environment)
    assert shown.stdout.strip() == "200", shown.stderr
