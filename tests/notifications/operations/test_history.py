"""What is read from the hourly counts."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from notifications.models import HourlyDomain, HourlyTraffic, RolledUpHour
from notifications.operations.history import Counts, Speed, read_domains, read_history
from notifications.rules.histogram import BUCKETS
from notifications.rules.states import Stream

pytestmark = pytest.mark.django_db

NO_SPEED = Speed(p50_s=None, p95_s=None, to_delivered_p50_s=None)


@pytest.fixture
def now():
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        return cursor.fetchone()[0]


def hour_of(at):
    return at.replace(minute=0, second=0, microsecond=0)


def histogram(bucket, count):
    return [count if place == bucket else 0 for place in range(BUCKETS)]


def traffic(hour, *, stream=Stream.DEFAULT, provider="ses", **counts):
    return HourlyTraffic.objects.create(hour=hour, stream=stream, provider=provider, **counts)


def test_each_hour_and_each_day_is_there_without_email():
    found = read_history()
    assert (len(found.hours), len(found.days), found.counted_s) == (24, 30, None)
    assert {period.counts for period in (*found.hours, *found.days)} == {Counts()}
    assert (found.last_24_h, found.last_30_days) == ({}, {})
    assert set(found.speed.values()) == set(found.recent.values()) == {NO_SPEED}


def test_counts_are_added_up(now):
    traffic(hour_of(now), sent=1, failed=2, rejected=3)
    traffic(hour_of(now), stream=Stream.BULK, provider="sendgrid", hard_bounced=4, soft_bounced=5)
    traffic(hour_of(now) - timedelta(hours=23), sent=10)
    traffic(hour_of(now) - timedelta(hours=24), sent=100)
    traffic(hour_of(now) - timedelta(days=31), sent=1000)
    found = read_history()
    assert found.hours[-1].counts == Counts(sent=1, failed=2, rejected=3, hard_bounced=4, soft_bounced=5)
    assert (found.hours[-1].counts.lost, found.hours[-1].counts.bounced) == (5, 9)
    assert (found.hours[0].starts_at, found.hours[0].counts.sent) == (hour_of(now) - timedelta(hours=23), 10)
    assert sum(day.counts.sent for day in found.days) == 111
    assert {name: counts.sent for name, counts in found.last_24_h.items()} == {"ses": 11, "sendgrid": 0}
    assert {name: counts.sent for name, counts in found.last_30_days.items()} == {"ses": 111, "sendgrid": 0}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns"])
def test_day_is_one_of_the_time_zone(settings, now, zone):
    settings.TIME_ZONE = zone
    for hours in range(1, 24 * 29):
        traffic(hour_of(now) - timedelta(hours=hours), sent=1)
    days = read_history().days
    assert {day.starts_at.astimezone(ZoneInfo(zone)).hour for day in days} == {0}
    # An hour that a day of a zone with a half hour shares with the next belongs to the day in which it begins.
    assert sum(day.counts.sent for day in days) == 24 * 29 - 1
    assert all(day.counts.sent in {23, 24, 25} for day in days[2:-1])


def test_speed_is_that_of_a_stream(now):
    traffic(hour_of(now), to_provider=histogram(3, 10), to_delivered=histogram(8, 3))
    traffic(hour_of(now) - timedelta(hours=5), to_provider=histogram(7, 10))
    found = read_history()
    recent, day = found.recent[Stream.DEFAULT], found.speed[Stream.DEFAULT]
    assert (recent.p50_s, recent.p95_s, recent.to_delivered_p50_s) == pytest.approx((0.35, 0.485, 15))
    assert (day.p50_s, day.p95_s, day.to_delivered_p50_s) == pytest.approx((0.5, 9.5, 15))
    assert found.speed[Stream.BULK] == NO_SPEED


def test_last_count_is_that_of_the_newest_hour(now):
    for hours, minutes in ((0, 3), (1, 1)):
        counted_at = now - timedelta(minutes=minutes)
        RolledUpHour.objects.create(hour=hour_of(now) - timedelta(hours=hours), counted_at=counted_at)
    assert 180 <= read_history().counted_s < 600


def domain(hour, name, sent, bucket=3):
    HourlyDomain.objects.create(hour=hour, domain=name, sent=sent, to_delivered=histogram(bucket, sent))


def test_domains_with_most_email_come_first_and_all_others_last(now):
    hour = hour_of(now)
    for name, sent in (("a.example", 1), ("b.example", 5), ("c.example", 3), ("", 100)):
        domain(hour, name, sent)
    domain(hour - timedelta(hours=3), "a.example", 9, bucket=10)
    domain(hour - timedelta(hours=25), "c.example", 1000)
    assert [(found.name, found.counts.sent) for found in read_domains(2)] == [
        ("a.example", 10),
        ("b.example", 5),
        ("", 103),
    ]
    assert [found.name for found in read_domains(9)] == ["a.example", "b.example", "c.example", ""]
    assert 30 < read_domains(2)[0].to_delivered_s < 60
    assert read_domains(2)[2].to_delivered_s == pytest.approx(0.35)


def test_site_without_email_has_no_domains():
    assert read_domains(9) == []
