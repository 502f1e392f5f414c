"""The demo's judgement: it must not be possible to pass with a lost or doubled mail."""

import os
import subprocess
import sys

import pytest

from config.environment import BASE_DIR
from devtools.demo.crowd import Crowd
from devtools.demo.report import Figures, complaints, last_line, table
from devtools.demo.verdict import Verdict, judge
from devtools.stack.facts import percentile

TOLD = {("welcome", "a@x.example"), ("password-reset", "a@x.example"), ("product-news", "b@x.example")}
WELCOME = {"to": "a@x.example", "subject": "Welcome to Mailroom: please confirm your address"}
RESET = {"to": "a@x.example", "subject": "Choose a new password for Mailroom"}
NEWS = {"to": "b@x.example", "subject": "What is new"}
STRANGER = {"to": "admin@x.example", "subject": "Welcome to Mailroom"}


@pytest.mark.parametrize(
    ("journal", "sent", "lost", "duplicated"),
    [
        ([WELCOME, RESET, NEWS], 3, 0, 0),
        ([WELCOME, RESET, NEWS, STRANGER], 3, 0, 0),
        ([WELCOME, RESET], 2, 1, 0),
        ([WELCOME, WELCOME, NEWS], 3, 1, 1),
        ([WELCOME, RESET, NEWS, NEWS, NEWS], 5, 0, 2),
        ([], 0, 3, 0),
    ],
)
def test_journal_is_compared_with_what_people_were_told(journal, sent, lost, duplicated):
    verdict = judge(TOLD, journal)
    assert (verdict.told, verdict.sent, verdict.lost, verdict.duplicated) == (3, sent, lost, duplicated)


@pytest.mark.parametrize(
    ("values", "share", "result"),
    [([], 0.5, 0.0), ([1], 0.95, 1), ([3, 1, 2], 0.5, 2), (list(range(1, 101)), 0.95, 95), ([1, 2], 1.0, 2)],
)
def test_percentile(values, share, result):
    assert percentile(values, share) == result


def figures(**changes):
    values = {
        "crowd": Crowd(queued_ms=[40.0], reset_ms=[10.0], inline_ms=[2000.0]),
        "verdict": Verdict(told=1, sent=1, lost=0, duplicated=0, copies={1: 1}),
        "waits_s": {"critical": [0.5], "default": [1.0], "bulk": []},
        "statuses": {"sent": 1},
        "took_s": 60.0,
    }
    return Figures(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({}, 0),
        ({"verdict": Verdict(told=1, sent=0, lost=1, duplicated=0, copies={0: 1})}, 1),
        ({"verdict": Verdict(told=1, sent=2, lost=0, duplicated=1, copies={2: 1})}, 1),
        ({"crowd": Crowd(queued_ms=[51.0], inline_ms=[2000.0])}, 1),
        ({"crowd": Crowd()}, 1),
        ({"waits_s": {"critical": [1.1], "default": [], "bulk": []}}, 1),
        ({"took_s": 181.0}, 1),
    ],
)
def test_each_missed_limit_has_a_sentence(changes, missed):
    assert len(list(complaints(figures(**changes)))) == missed


def test_last_line_can_be_read_by_a_program():
    line = last_line(figures())
    assert line.startswith("demo: signups=1 resets=1 bulk=0 sent=0 lost=0 duplicated=0 ")
    assert dict(part.split("=") for part in line.split()[1:])["ratio"] == "50.0"
    assert "sign-up, queued" in table(figures())


def test_old_way_shows_the_same_form():
    """In a process of its own: it takes the new way's signal off."""
    show = "from django.test import Client; print(Client(SERVER_NAME='127.0.0.1').get('/sign-up/').status_code)"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "devtools.demo.old_settings", "DEBUG": "1"}
    command = [sys.executable, "-c", f"import django; django.setup(); {show}"]
    shown = subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=False)
    assert shown.stdout.strip() == "200", shown.stderr
