"""Counters count each row once and only grow: real rows, several processes."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from notifications.models import Counter, CounterMark, DeliveryAttempt, ProviderEvent, counter
from notifications.operations.metrics import page
from notifications.operations.metrics.page import update_counters
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture(autouse=True)
def counting():
    CounterMark.objects.create(counted_to=Now() - timedelta(seconds=120))


def count_all():
    """Count what is there, then continue a minute later."""
    update_counters()
    CounterMark.objects.update(counted_to=Now() - timedelta(seconds=counter.SETTLED_AFTER_S))


def attempted(result="accepted", *, seconds_ago=30.0, number=1, **fields):
    message = MessageFactory(status=Status.SENT, sent_at=Now(), attempts=number, **fields)
    DeliveryAttempt.objects.create(
        message=message,
        number=number,
        provider="ses",
        result=result,
        recorded_at=Now() - timedelta(seconds=seconds_ago),
    )


def values(name):
    return {tuple(sorted(row.labels.items())): row.value for row in Counter.objects.filter(name=name)}


ACCEPTED, TRANSIENT = (("provider", "ses"), ("result", "accepted")), (("provider", "ses"), ("result", "transient"))


def test_attempts_are_counted_by_provider_and_result():
    for result in ("accepted", "accepted", "transient"):
        attempted(result)
    update_counters()
    assert values("attempts") == {ACCEPTED: 2, TRANSIENT: 1}
    assert values("sent") == {(("kind", "welcome"), ("stream", "default")): 2}


def test_attempt_is_counted_once():
    attempted()
    for _ in range(3):
        update_counters()
    assert values("attempts") == {ACCEPTED: 1}


def test_counters_survive_the_rows_they_counted():
    attempted()
    count_all()
    DeliveryAttempt.objects.all().delete()
    attempted(seconds_ago=0)
    CounterMark.objects.update(counted_to=Now() - timedelta(seconds=60))
    DeliveryAttempt.objects.update(recorded_at=Now() - timedelta(seconds=20))
    update_counters()
    assert values("attempts") == {ACCEPTED: 2}


def test_attempt_that_may_not_be_committed_yet_waits():
    attempted(seconds_ago=counter.SETTLED_AFTER_S - 5)
    update_counters()
    assert values("attempts") == {}


def test_rows_before_the_first_run_are_not_counted():
    CounterMark.objects.all().delete()
    attempted()
    update_counters()
    assert values("attempts") == {}
    assert CounterMark.objects.exists()


def test_long_outage_of_beat_is_caught_up(monkeypatch):
    monkeypatch.setattr(counter, "LONGEST_SPAN_S", 10.0)
    for seconds in (15, 55, 100):
        attempted(seconds_ago=seconds)
    update_counters()
    assert values("attempts") == {ACCEPTED: 3}


def test_catching_up_is_done_in_parts(monkeypatch):
    monkeypatch.setattr(counter, "LONGEST_SPAN_S", 10.0)
    monkeypatch.setattr(page, "MOST_SPANS", 3)
    attempted(seconds_ago=95)
    attempted(seconds_ago=15)
    update_counters()
    assert values("attempts") == {ACCEPTED: 1}
    for _ in range(4):
        update_counters()
    assert values("attempts") == {ACCEPTED: 2}


@pytest.mark.parametrize(
    ("message", "bound"),
    [
        ({"created_at": 50.0}, 30.0),
        # Scheduled: it was due later than it was written.
        ({"created_at": 4000.0, "due_at": 36.0}, 10.0),
        # The second attempt: the wait counts from the beginning.
        ({"created_at": 70.0, "due_at": 31.0, "number": 2}, 60.0),
    ],
)
def test_delay_is_counted_from_when_the_message_was_due(message, bound):
    times = {name: Now() - timedelta(seconds=message.pop(name)) for name in ("created_at", "due_at") if name in message}
    attempted(**{"due_at": times.get("created_at"), **times, **message})
    update_counters()
    buckets = values("delay_bucket")
    assert min(dict(labels)["le"] for labels in buckets) == bound
    assert values("delay_count") == {(("stream", "default"),): 1}


def test_events_are_counted_by_what_they_say():
    at = Now() - timedelta(seconds=counter.EVENTS_AFTER_S + 30)
    for number, (kind, bounce) in enumerate([("bounced", "hard"), ("bounced", "hard"), ("delivered", ""), ("", "")]):
        ProviderEvent.objects.create(
            provider="ses", event_id=str(number), payload={}, kind=kind, bounce=bounce, received_at=at
        )
    update_counters()
    found = {dict(labels)["event"]: value for labels, value in values("events").items()}
    assert found == {"bounced-hard": 2, "delivered": 1, "unread": 1}


def test_streams_have_separate_histograms():
    for stream in Stream:
        attempted(stream=stream)
    update_counters()
    assert {dict(labels)["stream"] for labels in values("delay_sum")} <= set(Stream)
    assert len(values("delay_count")) == len(Stream)
