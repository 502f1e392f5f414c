"""The collected status, from real rows and a real broker."""

import io
import json
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.test import override_settings

from notifications import housekeeping
from notifications.budget.keys import pace_key, state_key
from notifications.models import (
    DeliveryAttempt,
    HourlyTraffic,
    HousekeepingJob,
    Pause,
    PendingChange,
    ProcessHeartbeat,
    ProviderEvent,
)
from notifications.operations import current
from notifications.operations import status as operations
from notifications.operations.figures import Dead, Lane, Traffic, WaitingChanges
from notifications.operations.finding import Code
from notifications.operations.problems import findings
from notifications.operations.status import collect
from notifications.rules.states import Status, Stream
from notifications.runtime import database
from notifications.runtime.database import is_outage
from notifications.runtime.heartbeat import FLOWER_KEY, beat, delete_row, served_key
from notifications.runtime.redis_client import client, reset
from tests.factories import MessageFactory
from tests.notifications.operations.jobs import housekeeping_was_done

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def lane(stream, **changes):
    values = {"due": 0, "later": 0, "oldest_s": 0, "published": 0, "pace": None, "served": False}
    return Lane(stream=stream, **(values | changes))


def test_messages_and_tasks_are_counted(settings):
    settings.EMAIL_PROVIDERS = ["scripted"]
    MessageFactory(due_at=Now() - timedelta(seconds=50))
    MessageFactory(due_at=Now() + timedelta(seconds=50))
    MessageFactory(sending=True)
    MessageFactory(uncertain=True)
    MessageFactory(uncertain=True, settle_at=None)
    sent = MessageFactory(status=Status.SENT, sent_at=Now())
    for number, result, seconds in (
        (1, "transient", 90),
        (2, "accepted", 80),
        (3, "accepted", 5),
        (4, "accepted", 4000),
    ):
        at = Now() - timedelta(seconds=seconds)
        DeliveryAttempt.objects.create(message=sent, number=number, provider="scripted", result=result, recorded_at=at)
    beat("main@here", "tired")
    client().lpush("default", "task")
    client().set(pace_key("scripted", "default"), "7.500")
    client().set(served_key("default"), "1")
    found = collect()
    waiting = next(lane for lane in found.lanes if lane.stream is Stream.DEFAULT)
    assert 50 <= waiting.oldest_s < 3600
    expected = lane(Stream.DEFAULT, due=1, later=1, published=1, pace=7.5, served=True, minute=1)
    assert replace(waiting, oldest_s=0) == expected
    assert next(lane for lane in found.lanes if lane.stream is Stream.BULK) == lane(Stream.BULK)
    assert (found.sending, found.uncertain, found.held) == (1, 1, 1)
    assert found.traffic == [Traffic(provider="scripted", minute=1, hour=2, failed=1, more=False)]
    assert [(process.name, process.trouble) for process in found.processes] == [("main@here", "tired")]


def test_reports_of_the_last_day_are_those_of_the_provider(settings):
    settings.EMAIL_PROVIDERS = ["ses", "sendgrid"]
    for provider, hours, sent in (("ses", 1, 10), ("ses", 22, 20), ("ses", 25, 40), ("sendgrid", 1, 80)):
        hour = Now() - timedelta(hours=hours)
        counts = {"sent": sent, "hard_bounced": sent // 10, "complained": sent // 5}
        HourlyTraffic.objects.create(hour=hour, stream="default", provider=provider, **counts)
    day = {traffic.provider: traffic for traffic in collect().traffic}
    assert (day["ses"].day_sent, day["ses"].day_hard_bounced, day["ses"].day_complained) == (30, 3, 6)
    assert (day["sendgrid"].day_sent, list(day)) == (80, ["ses", "sendgrid"])


def test_dead_letters_are_counted_by_error_latest_first():
    for cause, hours in (("ses/x", 0), ("ses/x", 2), ("ses/x", 30), ("", 30), ("rendering/KeyError", 3)):
        died_at = Now() - timedelta(hours=hours)
        MessageFactory(status=Status.DEAD, error_fingerprint=cause, died_at=died_at)
    assert collect().dead == [
        Dead(cause="ses/x", hour=1, day=2, ever=3),
        Dead(cause="rendering/KeyError", hour=0, day=1, ever=1),
        Dead(cause="", hour=0, day=0, ever=1),
    ]


def test_new_dead_letters_are_counted_among_many_old_ones(monkeypatch):
    monkeypatch.setattr(operations, "MOST", 3)
    for _ in range(5):
        MessageFactory(status=Status.DEAD, error_fingerprint="ses/old", died_at=Now() - timedelta(days=9))
    MessageFactory(status=Status.DEAD, error_fingerprint="ses/new")
    MessageFactory(status=Status.DEAD, error_fingerprint="ses/old")
    assert [(dead.cause, dead.hour, dead.ever) for dead in collect().dead] == [("ses/old", 1, 3), ("ses/new", 1, 1)]


def test_counts_do_not_read_a_large_table(settings):
    """Sent messages and their attempts fill the tables, and must not be read."""
    settings.EMAIL_PROVIDERS = ["ses"]
    with connection.cursor() as cursor:
        before = _pages_read_by_collect(cursor)
        cursor.execute(
            "INSERT INTO notifications_message (id, kind, stream, to_address, context, idempotency_key, status,"
            " sent_at, status_reason, provider, uncertain_resends, attempts, relayed)"
            " SELECT gen_random_uuid(), 'welcome', 'default', 'a@example.com', '{}', n::text, 'sent', now(),"
            " '', '', 0, 1, 0 FROM generate_series(1, 20000) AS n"
        )
        cursor.execute(
            "INSERT INTO notifications_deliveryattempt (message_id, number, provider, result, provider_message_id,"
            " error_code, error, task_id, worker, recorded_at) SELECT id, 1, 'ses', 'accepted', '', '', '', '', '',"
            " now() - interval '1 day' FROM notifications_message"
        )
        cursor.execute("ANALYZE notifications_message, notifications_deliveryattempt")
        assert _pages_read_by_collect(cursor) - before < 150
        for table in TABLES:
            cursor.execute("SELECT pg_relation_size(%s) / 8192", [table])
            assert cursor.fetchone()[0] > 200


def _pages_read_by_collect(cursor):
    before = _pages_read(cursor)
    collect()
    return _pages_read(cursor) - before


TABLES = ["notifications_message", "notifications_deliveryattempt"]


def _pages_read(cursor):
    cursor.execute(
        "SELECT sum(pg_stat_get_xact_blocks_fetched(oid))::bigint FROM pg_class WHERE oid = ANY(%s::regclass[])"
        " OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = ANY(%s::regclass[]))",
        [TABLES, TABLES],
    )
    return cursor.fetchone()[0]


def test_broker_outage_is_part_of_the_status():
    reset()
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        found = collect()
    reset()
    assert found.broker_is_down
    assert [(lane.published, lane.served) for lane in found.lanes] == [(None, None)] * 3
    assert Code.STREAM_UNSERVED not in {finding.code for finding in findings(found)}


def test_full_disk_that_a_process_met_is_part_of_the_status():
    database._noted.clear()
    error = OperationalError("could not extend file")
    error.__cause__ = psycopg.errors.DiskFull()
    assert is_outage(error)
    assert collect().disk_is_full
    assert current.outage_finding(error).code == Code.DISK_FULL
    client().delete(database.DISK_FULL_KEY)
    assert not collect().disk_is_full


@pytest.mark.parametrize(
    ("what", "name", "is_counted_from_resume"),
    [("stream", "default", True), ("kind", "welcome", True), ("provider", "ses", True), ("stream", "bulk", False)],
)
def test_message_is_not_late_because_of_a_pause(what, name, is_counted_from_resume):
    hour = timedelta(hours=1)
    MessageFactory(due_at=Now() - hour)
    pause = {"what": what, "name": name, "since": Now() - 2 * hour}
    Pause.objects.create(**pause, ended_at=Now() - timedelta(seconds=20))
    (found,) = [lane for lane in collect().lanes if lane.stream is Stream.DEFAULT]
    assert (found.oldest_s < 600) is is_counted_from_resume
    # Its time was up, and no process has recorded that yet. Without a message, no time counts.
    Pause.objects.update(ended_at=None, until=Now() - timedelta(seconds=20))
    (found,) = [lane for lane in collect().lanes if lane.stream is Stream.DEFAULT]
    assert (found.oldest_s < 600) is is_counted_from_resume
    assert next(lane.oldest_s for lane in collect().lanes if lane.stream is Stream.CRITICAL) == 0


def test_site_without_a_provider_has_a_finding(settings):
    settings.EMAIL_PROVIDERS = []
    assert Code.NO_PROVIDER in {finding.code for finding in findings(collect())}


def test_pause_of_the_provider_is_shown(settings):
    settings.EMAIL_PROVIDERS = ["ses"]
    seconds, _ = client().time()
    client().hset(state_key("ses"), "pause", f"{(seconds + 90) * 1e6:.17g}")
    assert {80 < lane.paused_s <= 90 for lane in collect().lanes} == {True}


def test_changes_that_receivers_should_have_handled_are_a_finding():
    assert collect().changes == WaitingChanges()
    for seconds, error in ((30, ""), (90, ""), (80, "shop.note: KeyError")):
        at = Now() - timedelta(seconds=seconds)
        PendingChange.objects.create(message_id=MessageFactory().id, change="sent", at=at, error=error)
    waiting = collect().changes
    assert (waiting.count, waiting.late, waiting.error) == (3, 2, "shop.note: KeyError")
    assert 90 <= waiting.oldest_s < 1000


@pytest.mark.parametrize("event_of", ["simulator", "another", None])
def test_missing_reports_are_a_finding(settings, event_of):
    settings.SIMULATOR_WEBHOOK_KEY = "set"
    message = MessageFactory()
    for number, minutes in enumerate((20, 30, 5)):
        DeliveryAttempt.objects.create(
            message=message,
            number=number,
            provider="simulator",
            result="accepted",
            recorded_at=Now() - timedelta(minutes=minutes),
        )
    if event_of:
        ProviderEvent.objects.create(provider=event_of, event_id="1", payload={})
    (traffic,) = collect().traffic
    assert (traffic.unreported, traffic.reports) == (2, event_of == "simulator")


@pytest.mark.parametrize(
    ("url", "runs", "missing"),
    [("https://f.example", False, True), ("https://f.example", True, False), ("", False, False)],
)
def test_flower_is_missing_if_its_address_is_set(settings, url, runs, missing):
    settings.FLOWER_URL = url
    if runs:
        client().set(FLOWER_KEY, "1")
    assert collect().flower_is_missing is missing


def test_notices_are_shown_and_exit_with_0():
    for name in ("relay@here", "beat@here"):
        beat(name)
    for stream in Stream:
        client().set(served_key(stream), "1")
    housekeeping_was_done(0)
    MessageFactory(status=Status.DEAD, error_fingerprint="ses/x")
    out = io.StringIO()
    call_command("status", "--json", stdout=out)
    values = json.loads(out.getvalue())
    assert (values["problems"], values["codes"], len(values["notices"])) == ([], [Code.DEAD_LETTERS], 1)


def test_heartbeats_of_ended_processes_are_deleted():
    beat("main@here")
    beat("old@there")
    ProcessHeartbeat.objects.filter(name="old@there").update(beat_at=Now() - timedelta(hours=2))
    beat("relay@here")
    delete_row("main@here")
    assert list(ProcessHeartbeat.objects.values_list("name", flat=True)) == ["relay@here"]


def overdue():
    return {job.name for job in collect().overdue}


def test_overdue_job_is_named():
    every = {job.name for job in housekeeping.registered()}
    assert overdue() == every
    housekeeping_was_done(0)
    assert overdue() == set()
    HousekeepingJob.objects.update(done_at=Now() - timedelta(minutes=30))
    frequent = {
        "announce-problems",
        "count-waiting",
        "update-counters",
        "watch-bounces",
        "lift-at-providers",
        "read-quotas",
        "roll-up",
    }
    assert overdue() == frequent
    HousekeepingJob.objects.update(done_at=Now() - timedelta(days=1))
    assert overdue() == every


@pytest.mark.parametrize(
    ("row", "is_overdue"),
    [
        ({}, False),
        ({"failures": 1}, True),
        ({"tried_at": Now() - timedelta(minutes=30)}, True),
    ],
    ids=["it has begun", "it fails", "it hangs"],
)
def test_first_run_of_a_job_is_not_overdue(row, is_overdue):
    housekeeping_was_done(0)
    HousekeepingJob.objects.filter(name="read-quotas").update(**{"done_at": None, "tried_at": Now()} | row)
    assert overdue() == {"read-quotas"} & ({"read-quotas"} if is_overdue else set())
