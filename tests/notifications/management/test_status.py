"""The status command."""

import io
import json
import re

import pytest
from django.core.management import call_command
from django.db import OperationalError

from notifications.operations import current
from notifications.operations.finding import Code
from notifications.operations.problems import findings
from notifications.operations.status import collect
from notifications.rules.states import Stream
from notifications.runtime.heartbeat import beat, served_key
from notifications.runtime.redis_client import client
from tests.notifications.operations.jobs import housekeeping_was_done

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def problems():
    return [finding for finding in findings(collect()) if finding.is_problem]


def test_command_prints_problems_and_exits_with_1():
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("status", stdout=out)
    assert ended.value.code == 1
    shown = out.getvalue().splitlines()
    wrong = [f"  {problem}" for problem in problems()]
    assert shown[1 : 1 + len(wrong)] == wrong
    assert len(wrong) == 3
    assert ["bulk", "0", "0", "0", "-"] in [line.split() for line in shown]


def test_command_finds_no_problems():
    for name in ("relay@here", "beat@here"):
        beat(name)
    for stream in Stream:
        client().set(served_key(stream), "1")
    housekeeping_was_done(0)
    out = io.StringIO()
    call_command("status", stdout=out)
    assert problems() == []
    (relay,) = [line for line in out.getvalue().splitlines() if line.startswith("relay@here: ")]
    assert re.search(r": OK, .*\d+ s", relay)


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_command_reports_a_database_outage(monkeypatch, option):
    def away():
        raise OperationalError("a private text")

    monkeypatch.setattr(current, "collect", away)
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("status", *option, stdout=out)
    assert ended.value.code == 1
    assert "OperationalError" in out.getvalue()
    assert "private" not in out.getvalue()
    assert [finding.code for finding in current.current_status()[1]] == [Code.DATABASE_AWAY]


def test_command_reports_a_full_database(monkeypatch):
    def full():
        raise OperationalError("connection failed: FATAL:  sorry, too many clients already")

    monkeypatch.setattr(current, "collect", full)
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("status", stdout=out)
    (finding,) = current.current_status()[1]
    assert finding.code == Code.DATABASE_FULL
    assert str(finding) in out.getvalue()


def test_command_prints_json():
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("status", "--json", stdout=out)
    printed = json.loads(out.getvalue())
    empty = {"due": 0, "later": 0, "oldest_s": 0.0, "published": 0, "pace": None, "served": False}
    empty |= {"paused_s": 0.0, "minute": 0, "paused": 0}
    assert printed["lanes"][0] == {"stream": "critical", **empty}
    assert len(printed["problems"]) == 3
