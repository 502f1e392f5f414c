"""The hourly counts: equal to a count of the rows, repeatable, and complete after a gap."""

from bisect import bisect_right
from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.db.models.functions import Now

from notifications.models import (
    DeliveryAttempt,
    HourlyDomain,
    HourlyTraffic,
    Message,
    ProviderEvent,
)
from notifications.operations import rollups
from notifications.operations.rollups import roll_up
from notifications.rules.histogram import BOUNDS, BUCKETS
from notifications.rules.outcomes import BounceKind, EventType
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory
from tests.notifications.operations.rolled_up import HOUR, attempted, reported, sent, written

pytestmark = pytest.mark.django_db

COUNTS = ("sent", "delivered", "deferred", "hard_bounced", "soft_bounced", "complained")


def counts(row, *names):
    return {name: getattr(row, name) for name in (*COUNTS, *names) if getattr(row, name)}


def histogram(*seconds):
    found = [0] * BUCKETS
    for value in seconds:
        found[bisect_right(BOUNDS, value)] += 1
    return found


def test_each_run_counts_an_older_hour_however_long_the_newest_take(monkeypatch):
    MessageFactory(created_at=Now() - timedelta(hours=9))
    monkeypatch.setattr(rollups, "RUN_S", 0.0)
    due = rollups.due_hours()
    assert len(due) == 10
    rollups.roll_up_due()
    assert due[rollups.AT_LEAST - 1] not in rollups.due_hours()


def test_each_message_is_counted_once_in_the_hour_of_the_event():
    message = sent(HOUR)
    for minutes, kind in ((1, "deferred"), (2, "deferred"), (3, "delivered"), (4, "delivered"), (5, "complained")):
        reported(message, HOUR + timedelta(minutes=minutes), kind)
    reported(message, HOUR + timedelta(hours=1), "deferred")
    roll_up(HOUR)
    (traffic,) = HourlyTraffic.objects.all()
    expected = {"sent": 1, "deferred": 1, "delivered": 1, "complained": 1}
    assert (traffic.stream, traffic.provider, counts(traffic)) == (Stream.DEFAULT, "ses", expected)
    assert (traffic.to_provider, traffic.to_delivered) == (histogram(0.3), histogram(180))
    (domain,) = HourlyDomain.objects.all()
    assert (domain.domain, counts(domain), domain.to_delivered) == ("example.com", expected, histogram(180))


@pytest.mark.parametrize(
    ("kind", "bounce", "counted"),
    [
        ("bounced", "hard", "hard_bounced"),
        ("bounced", "soft", "soft_bounced"),
        ("bounced", "blocked", "soft_bounced"),
        ("bounced", "auto-reply", "delivered"),
        ("complained", "", "complained"),
        ("rejected", "", "rejected"),
        ("accepted", "", None),
        ("not spam", "", None),
        ("unsubscribed", "", None),
    ],
)
def test_event_is_counted_as(kind, bounce, counted):
    reported(written(provider="ses"), HOUR, kind, bounce=bounce)
    roll_up(HOUR)
    found = {name: count for row in HourlyTraffic.objects.all() for name, count in counts(row, "rejected").items()}
    assert found == ({counted: 1} if counted else {})


def test_event_that_was_not_applied_does_not_count():
    reported(written(provider="ses"), HOUR, "delivered", state="parked")
    roll_up(HOUR)
    assert not HourlyTraffic.objects.exists()


def test_dead_letters_are_counted_until_they_are_replayed():
    dead = written(status=Status.DEAD, died_at=HOUR, stream=Stream.BULK)
    roll_up(HOUR)
    (traffic,) = HourlyTraffic.objects.all()
    assert (traffic.stream, traffic.provider, traffic.failed) == (Stream.BULK, "", 1)
    assert not HourlyDomain.objects.exists()
    Message.objects.filter(pk=dead.pk).update(status=Status.QUEUED, died_at=None)
    roll_up(HOUR)
    assert not HourlyTraffic.objects.exists()


@pytest.mark.parametrize(("status", "count"), [(Status.SENT, 1), (Status.UNCERTAIN, 0)])
def test_lost_answer_counts_when_the_provider_has_reported_it(status, count):
    uncertain = (
        {"uncertain": True} if status == Status.UNCERTAIN else {"status": status, "sent_at": HOUR, "attempts": 1}
    )
    attempted(written(**uncertain), HOUR, result="ambiguous")
    roll_up(HOUR)
    assert sum(row.sent for row in HourlyTraffic.objects.all()) == count


@pytest.mark.parametrize(
    ("fields", "number", "took"),
    [
        ({}, 1, [600]),
        # Sent later, as planned.
        ({"due_at": HOUR + timedelta(seconds=590)}, 1, [10]),
        # The retry has moved the due time.
        ({"due_at": HOUR + timedelta(seconds=590)}, 2, [600]),
        ({"attempts_before": 1, "replays": 1, "due_at": HOUR + timedelta(seconds=590)}, 2, [10]),
        ({"attempts_before": 1, "replays": 1}, 3, []),
    ],
    ids=["first attempt", "planned", "retried", "replayed", "replayed and retried"],
)
def test_time_to_provider_begins_when_the_message_is_due(fields, number, took):
    at = HOUR + timedelta(seconds=600)
    message = written(status=Status.SENT, sent_at=at, attempts=number, **fields)
    attempted(message, at, number=number)
    roll_up(HOUR)
    (traffic,) = HourlyTraffic.objects.all()
    assert (traffic.sent, traffic.to_provider) == (1, histogram(*took))


@pytest.mark.parametrize(("occurred_s", "took"), [(None, 60), (20, 20), (-5, 0), (90, 60)])
def test_time_to_delivered_trusts_no_other_clock_too_far(occurred_s, took):
    occurred_at = None if occurred_s is None else HOUR + timedelta(seconds=occurred_s)
    reported(sent(HOUR), HOUR + timedelta(seconds=60), "delivered", occurred_at=occurred_at)
    roll_up(HOUR)
    assert HourlyTraffic.objects.get().to_delivered == histogram(took)


def test_domains_beyond_the_largest_share_a_row(monkeypatch):
    monkeypatch.setitem(rollups._TERMS, "domains", 2)
    for domain, emails in (("Large.example", 3), ("medium.example", 2), ("small.example", 1), ("tiny.example", 1)):
        for _ in range(emails):
            sent(HOUR, to=f"ada@{domain}")
    anonymized = sent(HOUR)
    Message.objects.filter(pk=anonymized.pk).update(to_address="", anonymized_at=Now())
    roll_up(HOUR)
    found = dict(HourlyDomain.objects.values_list("domain", "sent"))
    assert found == {"large.example": 3, "medium.example": 2, "": 3}


@pytest.mark.parametrize("seed", range(4))
def test_counts_equal_those_of_the_rows(seed):
    random = Random(seed)
    _fill(random)
    roll_up(HOUR)
    first = _rolled_up()
    assert first == _counted()
    roll_up(HOUR)
    assert _rolled_up() == first


def _fill(random):
    streams, providers = list(Stream), ["ses", "sendgrid"]
    for _ in range(40):
        at = HOUR + timedelta(minutes=random.uniform(-30, 90))
        to = f"ada@{random.choice('abc')}.example"
        message = sent(at, provider=random.choice(providers), stream=random.choice(streams), to=to)
        DeliveryAttempt.objects.filter(message=message).update(provider=message.provider)
        for _ in range(random.randrange(3)):
            kind = random.choice(list(EventType))
            bounce = random.choice(list(BounceKind)) if kind is EventType.BOUNCED else ""
            reported(message, at + timedelta(minutes=random.uniform(0, 60)), kind, bounce=bounce)
    for _ in range(5):
        died_at = HOUR + timedelta(minutes=random.uniform(-30, 90))
        written(status=Status.DEAD, died_at=died_at, stream=random.choice(streams))


def _rolled_up():
    traffic = Counter()
    for row in HourlyTraffic.objects.all():
        for name, count in counts(row, "failed", "rejected").items():
            traffic[row.stream, row.provider, name] += count
    domains = Counter()
    for row in HourlyDomain.objects.all():
        for name, count in counts(row).items():
            domains[row.domain, name] += count
    return traffic, domains


def _counted():
    within = {"gte": HOUR, "lt": HOUR + timedelta(hours=1)}
    facts = [
        (attempt.message, attempt.provider, "sent")
        for attempt in DeliveryAttempt.objects.filter(**_range("recorded_at", within))
    ]
    facts += {
        (event.message, event.provider, name)
        for event in ProviderEvent.objects.filter(**_range("received_at", within))
        if (name := _name(event))
    }
    facts += [(message, "", "failed") for message in Message.objects.filter(**_range("died_at", within))]
    traffic = Counter((message.stream, provider, name) for message, provider, name in facts)
    domains = Counter((message.to_address.partition("@")[2], name) for message, _, name in facts if name in COUNTS)
    return traffic, domains


def _range(name, within):
    return {f"{name}__{end}": value for end, value in within.items()}


def _name(event):
    if event.bounce == BounceKind.AUTO_REPLY:
        return "delivered"
    if event.kind == EventType.BOUNCED:
        return "hard_bounced" if event.bounce == BounceKind.HARD else "soft_bounced"
    return event.kind if event.kind in {"deferred", "delivered", "complained", "rejected"} else None
