"""Which hours are counted, and when again."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from notifications.models import HourlyTraffic, RolledUpHour
from notifications.operations import rollups
from notifications.operations.rollups import due_hours, first_open_hour, roll_up_due
from tests.notifications.operations.rolled_up import counted_finally, current_hour, sent, written

pytestmark = pytest.mark.django_db


def hours_ago(*hours):
    return [current_hour() - timedelta(hours=hour) for hour in hours]


def test_every_hour_since_the_first_message_is_counted_newest_first():
    written(created_at=current_hour() - timedelta(hours=5))
    assert due_hours() == hours_ago(0, 1, 2, 3, 4, 5)
    roll_up_due()
    assert RolledUpHour.objects.count() == 6


def test_site_without_messages_counts_the_current_hour():
    assert due_hours() == hours_ago(0)


def test_run_that_takes_too_long_is_continued_by_the_next(monkeypatch):
    written(created_at=current_hour() - timedelta(hours=9))
    with monkeypatch.context() as patch:
        patch.setattr(rollups, "RUN_S", 0)
        patch.setattr(rollups, "AT_LEAST", 1)
        roll_up_due()
    assert list(RolledUpHour.objects.values_list("hour", flat=True)) == hours_ago(0)
    roll_up_due()
    assert RolledUpHour.objects.count() == 10


@pytest.mark.parametrize(
    ("hours", "counted_at", "is_due"),
    [
        (0, Now(), True),
        (1, Now(), True),
        (2, Now(), False),
        (2, Now() - timedelta(minutes=31), True),
        (4, Now() - timedelta(minutes=31), True),
        (6, F("hour") + timedelta(hours=4.9), True),
        (6, F("hour") + timedelta(hours=5.1), False),
        (200, F("hour") + timedelta(minutes=10), True),
        (200, F("hour") + timedelta(hours=5.1), False),
    ],
)
def test_hour_is_counted_again_until_late_events_have_arrived(hours, counted_at, is_due):
    written(created_at=current_hour() - timedelta(hours=300))
    RolledUpHour.objects.bulk_create(RolledUpHour(hour=hour, counted_at=Now()) for hour in hours_ago(*range(301)))
    RolledUpHour.objects.filter(hour__in=hours_ago(hours)).update(counted_at=counted_at)
    assert (hours_ago(hours)[0] in due_hours()) is is_due


def test_counts_outlive_the_messages():
    message = sent(current_hour() - timedelta(hours=30))
    roll_up_due()
    assert HourlyTraffic.objects.get().sent == 1
    message.delete()
    roll_up_due()
    assert HourlyTraffic.objects.get().sent == 1


def test_first_open_hour_is_the_oldest_that_is_not_final():
    written(created_at=current_hour() - timedelta(hours=300))
    assert first_open_hour() == hours_ago(300)[0]
    counted_finally()
    assert first_open_hour() == hours_ago(5)[0]
    RolledUpHour.objects.filter(hour=hours_ago(200)[0]).update(counted_at=F("hour") + timedelta(minutes=10))
    assert first_open_hour() == hours_ago(200)[0]
    RolledUpHour.objects.filter(hour=hours_ago(250)[0]).delete()
    assert first_open_hour() == hours_ago(250)[0]
