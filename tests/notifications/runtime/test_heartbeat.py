"""The row of a process, kept by a thread."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from notifications.models import ProcessHeartbeat
from notifications.runtime import heartbeat
from notifications.runtime.heartbeat import HeartbeatRow
from tests.live.running import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.02)


@pytest.fixture
def row():
    row = HeartbeatRow("relay@here", lambda: "tired")
    yield row
    row.stop()


def beat_at():
    return ProcessHeartbeat.objects.filter(name="relay@here").values_list("beat_at", flat=True).first()


def test_row_is_updated_and_deleted_at_the_end(row):
    row.start()
    first = eventually(beat_at)
    eventually(lambda: beat_at() > first)
    assert ProcessHeartbeat.objects.get().trouble == "tired"
    row.stop()
    assert beat_at() is None


def test_each_database_outage_is_logged_once(row, monkeypatch, caplog):
    real, calls = heartbeat.beat, []

    def beat(*args):
        calls.append(1)
        if len(calls) not in {4, 5}:
            raise OperationalError("away")
        real(*args)

    monkeypatch.setattr("notifications.runtime.heartbeat.beat", beat)
    with caplog.at_level("WARNING", logger="notifications.runtime.heartbeat"):
        row.start()
        eventually(lambda: len(calls) > 8)
        row.stop()
    assert [record.args for record in caplog.records] == [("relay@here", "OperationalError")] * 2


def test_end_does_not_wait_for_a_hung_database(row, monkeypatch):
    answered, asked = threading.Event(), threading.Event()

    def hang(*args):
        asked.set()
        answered.wait(60)

    monkeypatch.setattr(heartbeat, "STOP_WITHIN_S", 0.05)
    monkeypatch.setattr("notifications.runtime.heartbeat.beat", hang)
    row.start()
    assert asked.wait(30)
    row.stop()
    assert row._thread.is_alive()
    answered.set()
    row._thread.join(30)


def test_heartbeat_costs_one_statement_and_removes_rows_of_removed_processes(django_assert_num_queries):
    heartbeat.beat("removed@here")
    heartbeat.beat("relay@here")
    ProcessHeartbeat.objects.update(beat_at=Now() - timedelta(hours=2))
    with django_assert_num_queries(1):
        heartbeat.beat("relay@here", "tired")
    assert list(ProcessHeartbeat.objects.values_list("name", "trouble")) == [("relay@here", "tired")]
    assert ProcessHeartbeat.objects.filter(beat_at__gt=Now() - timedelta(hours=1)).exists()
