"""An outage of the database is announced from memory."""

import pytest
from django.db import OperationalError, ProgrammingError

from notifications import housekeeping
from notifications.housekeeping.keeper import Keeper
from notifications.models import housekeeping as table
from notifications.operations.alerts import outage
from notifications.operations.alerts.outage import OutageWatch
from notifications.operations.finding import Code

AWAY = OperationalError("connection refused")


@pytest.fixture
def watch(monkeypatch):
    monkeypatch.setattr(outage, "GRACE_S", 0.0)
    monkeypatch.setattr(outage, "PING_EVERY_S", 0.0)
    monkeypatch.setattr(outage, "FIRST_PAUSE_S", 0.0)
    return OutageWatch()


def test_outage_is_posted_once_and_when_it_is_over(receiver, watch, caplog):
    for _ in range(3):
        watch.failed(AWAY)
    assert (len(receiver.posts()), receiver.pings()) == (1, ["/fail"] * 3)
    watch.works()
    watch.works()
    assert (len(receiver.posts()), len(receiver.pings())) == (2, 3)
    assert caplog.text.count(Code.DATABASE_AWAY) == 1


def test_short_outage_is_not_announced(receiver, watch, monkeypatch):
    monkeypatch.setattr(outage, "GRACE_S", 60.0)
    watch.failed(AWAY)
    watch.works()
    assert receiver.api.asked == []


def test_error_that_is_no_outage_is_not_announced(receiver, watch):
    watch.failed(ProgrammingError("no such column"))
    assert receiver.api.asked == []


def test_failing_webhook_is_called_again(receiver, watch):
    receiver.answer(webhook=500)
    watch.failed(AWAY)
    receiver.answer(webhook=200)
    watch.failed(AWAY)
    watch.failed(AWAY)
    assert len(receiver.posts()) == 2


def test_end_is_posted_only_if_the_outage_was(receiver, watch):
    receiver.answer(webhook=500)
    watch.failed(AWAY)
    watch.works()
    assert len(receiver.posts()) == 1


def test_end_is_posted_again_after_the_webhook_failed(receiver, watch):
    watch.failed(AWAY)
    receiver.answer(webhook=500)
    watch.works()
    receiver.answer(webhook=200)
    watch.works()
    watch.works()
    assert ["✅" in text for text in map(str, receiver.posts())] == [False, True, True]


def test_end_that_was_never_posted_is_dropped_by_the_next_outage(receiver, watch):
    watch.failed(AWAY)
    receiver.answer(webhook=500)
    watch.works()
    receiver.answer(webhook=200)
    watch.failed(AWAY)
    watch.works()
    assert ["✅" in text for text in map(str, receiver.posts())] == [False, True, False, True]


def test_statements_in_the_block_count(receiver, watch):
    for _ in range(2):
        with pytest.raises(OperationalError), watch.database():
            raise AWAY
    with watch.database():
        pass
    assert len(receiver.posts()) == 2


def test_beat_reports_that_it_cannot_claim_its_jobs(monkeypatch):
    errors = []
    monkeypatch.setattr(housekeeping, "_outage_watchers", [errors.append])
    monkeypatch.setattr(table, "due_jobs", lambda *arguments, **options: fail())
    keeper = Keeper()
    keeper._safely(keeper.turn)
    assert errors == [AWAY]


def fail():
    raise AWAY


def test_the_watch_is_registered():
    assert outage.watch.failed in housekeeping._outage_watchers
