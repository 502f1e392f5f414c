"""Old rows stay until the hourly counts of the dashboard have counted them."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.test.utils import override_settings

from notifications.models import DeliveryAttempt, HourlyTraffic, Message, RolledUpHour
from notifications.operations import retention, rollups
from notifications.rules.states import Status
from tests.notifications.operations.old_rows import ago, event, exists, message
from tests.notifications.operations.rolled_up import counted_finally, current_hour

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def every_hour_is_counted(db):
    counted_finally()


def not_counted(*, days):
    hours = [current_hour() - timedelta(days=day, hours=hour) for day in days for hour in range(24)]
    RolledUpHour.objects.filter(hour__in=hours).delete()


def test_nothing_is_deleted_that_is_not_counted_yet():
    gone = message(days=205)
    rows = [message(), message(Status.DEAD, days=205, died_at=ago(200)), event(days=200)]
    not_counted(days=[202])
    with override_settings(KEEP_DEAD_LETTERS_DAYS=100):
        assert dict(retention.count_old_rows())["messages"] == 1
        assert retention.delete_old_rows() == "1 messages"
        assert not exists(gone)
        assert all(map(exists, rows))
        rollups.roll_up_due()
        retention.delete_old_rows()
    assert not any(map(exists, rows))


@pytest.mark.parametrize("status", [Status.SENT, Status.DEAD])
def test_message_with_a_report_that_is_not_counted_yet_stays(status):
    old, other = message(status, days=366), message(status, days=366)
    late = event(old, days=0, kind="complained")
    event(other, days=1, kind="complained")
    retention.delete_old_rows()
    assert exists(old)
    assert exists(late)
    assert not exists(other)


def test_message_with_an_attempt_that_is_not_counted_yet_stays():
    old = message(Status.CANCELLED)
    DeliveryAttempt.objects.create(message=old, number=1, provider="scripted", result="transient")
    retention.delete_old_rows()
    assert exists(old)


def test_catch_up_of_the_counts_and_pruning_lose_nothing(monkeypatch):
    not_counted(days=range(189, 193))
    monkeypatch.setattr(rollups, "MOST_HOURS", 30)
    for days in (190, 191, 192):
        old = message(days=days)
        attempt = {"message": old, "number": 1, "provider": "scripted", "result": "accepted"}
        DeliveryAttempt.objects.create(**attempt, recorded_at=ago(days))
    # As beat does: both jobs run, in any order.
    for _ in range(6):
        retention.delete_old_rows()
        rollups.roll_up_due()
    retention.delete_old_rows()
    assert not Message.objects.exists()
    assert sum(HourlyTraffic.objects.values_list("sent", flat=True)) == 3


def test_command_says_what_waits_for_the_counts():
    def lines():
        out = StringIO()
        call_command("prune", dry_run=True, stdout=out)
        return len(out.getvalue().splitlines())

    message(days=205)
    usual = lines()
    not_counted(days=[202])
    assert lines() == usual + 1
