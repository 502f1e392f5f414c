"""Problems are announced once, and again when they are over: real rows, a real broker, a real server."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from notifications.models import Alert, AlertChannel, ProcessHeartbeat
from notifications.models import alert as table
from notifications.operations.alerts import channels
from notifications.operations.alerts.decision import QUIET
from notifications.operations.alerts.run import announce_problems
from notifications.operations.finding import Code
from notifications.operations.problems import findings
from notifications.operations.status import collect
from notifications.rules.states import Stream
from notifications.runtime.heartbeat import beat, served_key
from notifications.runtime.redis_client import client
from tests.notifications.operations.alerts.conftest import SECRET
from tests.notifications.operations.jobs import housekeeping_was_done

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture(autouse=True)
def healthy(settings, valkey):
    settings.EMAIL_PROVIDERS = ["simulator"]
    for name in ("relay@here", "beat@here"):
        beat(name)
    for stream in Stream:
        client().set(served_key(stream), "1")
    housekeeping_was_done(0)


def break_something():
    beat("main@here", "tired")


def fix():
    beat("main@here")


def let_pass(duration):
    """Shift what is stored into the past: only the database's clock counts."""
    for name in ("began_at", "seen_at", "announced_at", "over_at"):
        for alert in Alert.objects.exclude(**{name: None}):
            Alert.objects.filter(code=alert.code).update(**{name: getattr(alert, name) - duration})
    AlertChannel.objects.update(retry_at=Now() - timedelta(seconds=1))


def test_healthy_system_only_pings(receiver):
    announce_problems()
    announce_problems()
    assert (receiver.posts(), receiver.pings()) == ([], ["ok", "ok"])


def test_problem_is_posted_once_and_when_it_is_over(receiver, caplog):
    break_something()
    with caplog.at_level("INFO", "notifications"):
        announce_problems()
        announce_problems()
        fix()
        announce_problems()
        let_pass(QUIET)
        announce_problems()
        announce_problems()
    begun, over = receiver.posts()
    assert "main@here" in begun
    assert "main@here" in over
    assert begun != over
    assert receiver.pings() == ["/fail", "/fail", "/fail", "ok", "ok"]
    assert "main@here" in receiver.bodies()[0]
    lines = [record.getMessage() for record in caplog.records if record.name == "notifications.operations.alerts.run"]
    assert [Code.PROCESS_TROUBLE in line for line in lines] == [True, True]


def test_second_process_is_announced_too(receiver):
    break_something()
    announce_problems()
    beat("bulk@here", "tired")
    announce_problems()
    announce_problems()
    assert len(receiver.posts()) == 2
    assert "bulk@here" in receiver.posts()[1]


def test_short_disturbance_is_not_announced(receiver):
    ProcessHeartbeat.objects.filter(name="relay@here").delete()
    announce_problems()
    beat("relay@here")
    announce_problems()
    assert (receiver.posts(), receiver.pings()) == ([], ["ok", "ok"])
    assert not Alert.objects.exists()


def test_relay_that_stays_away_is_announced(receiver):
    ProcessHeartbeat.objects.filter(name="relay@here").delete()
    announce_problems()
    let_pass(timedelta(seconds=15))
    announce_problems()
    assert (len(receiver.posts()), receiver.pings()) == (1, ["ok", "/fail"])


def test_failing_webhook_is_a_problem_and_is_tried_again_later(receiver, caplog):
    receiver.answer(webhook=500)
    break_something()
    announce_problems()
    announce_problems()
    assert len(receiver.posts()) == 1
    assert [finding.code for finding in findings(collect())] == [Code.PROCESS_TROUBLE]
    let_pass(timedelta(seconds=15))
    announce_problems()
    assert len(receiver.posts()) == 2
    assert [finding.code for finding in findings(collect())] == [Code.PROCESS_TROUBLE, Code.ALERT_WEBHOOK]
    announce_problems()
    assert channels.WEBHOOK in receiver.bodies()[-1]
    receiver.answer(webhook=200)
    let_pass(timedelta(minutes=5))
    announce_problems()
    announce_problems()
    assert len(receiver.posts()) == 3
    assert channels.WEBHOOK not in receiver.posts()[-1]
    assert [finding.code for finding in findings(collect())] == [Code.PROCESS_TROUBLE]
    assert SECRET not in caplog.text


def test_failing_ping_is_posted(receiver):
    receiver.answer(ping=404)
    for _ in range(3):
        announce_problems()
        let_pass(timedelta(0))
    assert len(receiver.posts()) == 1
    assert channels.PING in receiver.posts()[0]


def test_failing_address_that_is_removed_is_no_problem(receiver, settings):
    receiver.answer(ping=404)
    for _ in range(2):
        announce_problems()
        let_pass(timedelta(0))
    settings.ALERT_PING_URL = ""
    announce_problems()
    assert [finding.code for finding in findings(collect())] == []


@pytest.mark.parametrize(("failures", "seconds"), [(1, 15), (2, 30), (5, 240), (6, 300), (99, 300)])
def test_pauses_grow(failures, seconds):
    assert table.pause_after(failures) == timedelta(seconds=seconds)


def test_without_addresses_problems_are_logged(settings, caplog):
    settings.ALERT_WEBHOOK_URL = settings.ALERT_PING_URL = ""
    break_something()
    announce_problems()
    assert Code.PROCESS_TROUBLE in caplog.text


def test_texts_are_in_the_language_of_the_site(receiver, settings):
    settings.LANGUAGE_CODE = "de"
    break_something()
    announce_problems()
    (finding,) = findings(collect())
    assert finding.sentence in receiver.posts()[0]


def test_restart_and_second_beat_repeat_nothing(receiver):
    """Nothing but the table remembers what was announced."""
    break_something()
    announce_problems()
    row = Alert.objects.get()
    assert (row.code, row.about, row.posted) == (Code.PROCESS_TROUBLE, ["main@here"], ["main@here"])
    assert row.announced_at == row.began_at


def test_findings_name_what_they_are_about():
    """Two findings of one code are one alert, so each names its part."""
    beat("main@here", "tired")
    beat("bulk@here", "tired")
    found = findings(collect())
    assert {finding.about for finding in found} == {frozenset({"main@here"}), frozenset({"bulk@here"})}
