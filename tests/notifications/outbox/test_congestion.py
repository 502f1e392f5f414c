"""While a queue is long, the relay publishes new messages in tasks of many."""

import threading

import pytest
from django.db.models.functions import Now

from notifications.models import Message
from notifications.outbox import Draft, congestion, enqueue, enqueue_many, publish, relay
from notifications.outbox.congestion import QueueLengths, is_long
from notifications.rules.states import Stream
from notifications.runtime.redis_client import client


@pytest.mark.parametrize(
    ("depth", "was_long", "expected"),
    [
        (0, False, False),
        (40, False, False),  # the relay fills up to here
        (41, False, True),
        (40, True, True),
        (21, True, True),
        (20, True, False),  # the relay refills from here, so it has no backlog
        (0, True, False),
    ],
)
def test_queue_is_long_from_the_high_water_mark_until_half_of_it_is_gone(depth, was_long, expected):
    assert is_long(depth, 40, was_long=was_long) is expected


def test_answer_is_forgotten_if_no_newer_one_follows(monkeypatch):
    lengths = QueueLengths()
    lengths.note({Stream.CRITICAL: 41, Stream.DEFAULT: 1})
    assert lengths.long_queues() == {Stream.CRITICAL}
    monkeypatch.setattr(congestion, "TRUST_S", -1.0)
    lengths.note({Stream.CRITICAL: 41})
    assert lengths.long_queues() == frozenset()


def test_lengths_are_asked_for_once_in_an_interval(monkeypatch):
    lengths = QueueLengths()
    assert [lengths.must_check(1) for _ in range(3)] == [True, False, False]
    monkeypatch.setattr(congestion, "CHECK_S", 0.0)
    lengths.clear()
    assert [lengths.must_check(1) for _ in range(3)] == [True, True, True]


@pytest.mark.parametrize(
    ("high_water", "enqueued", "expected"),
    [
        (6, [1] * 7, [True, False, False, True, False, False, True]),
        (40, [1, 19, 20, 1000, 1], [True, False, True, True, False]),
        (1, [1, 1, 1], [True, True, True]),
    ],
)
def test_lengths_are_asked_for_earlier_in_a_burst(monkeypatch, settings, high_water, enqueued, expected):
    monkeypatch.setattr(congestion, "CHECK_S", 3600.0)
    settings.RELAY_HIGH_WATER = high_water
    lengths = QueueLengths()
    assert [lengths.must_check(count) for count in enqueued] == expected


def test_questions_of_a_burst_do_not_pile_up(monkeypatch):
    asked, go_on = [], threading.Event()

    def ask():
        asked.append(go_on.wait(30))

    monkeypatch.setattr(publish, "_check_queues", ask)
    for _ in range(100):
        publish.check_queues(1000)
    go_on.set()
    publish._publisher.submit(lambda: None).result()
    assert asked == [True]
    publish.check_queues(1000)
    publish._publisher.submit(lambda: None).result()
    assert asked == [True, True]


@pytest.fixture
def patient(monkeypatch, valkey):
    """Let requests wait for a busy machine's broker, and ask for the lengths after each."""
    monkeypatch.setattr(publish, "WAIT_S", 60.0)
    monkeypatch.setattr(congestion, "CHECK_S", 0.0)
    monkeypatch.setattr(congestion, "TRUST_S", 300.0)


def new_message(number, kind="welcome"):
    message = enqueue(Draft(kind=kind, to=f"person{number}@example.com"))
    # The publisher's thread has done what was asked of it before.
    publish._publisher.submit(lambda: None).result()
    return message.id


def is_due(message_id):
    return Message.objects.filter(id=message_id, relay_after__lte=Now()).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("patient")
def test_burst_goes_in_tasks_of_many_and_then_requests_publish_again(settings):
    settings.RELAY_HIGH_WATER, settings.RELAY_CHUNK_SIZE = 4, 10
    client().set(relay.SENTINEL, client().info("server")["run_id"])
    published = [new_message(number) for number in range(5)]
    assert not any(map(is_due, published))
    burst = [new_message(number) for number in range(5, 85)]
    assert all(map(is_due, burst))
    assert client().llen("default") == 5
    # Another stream has another queue.
    assert not is_due(new_message(1, "password-reset"))
    assert publish.queue_depths()[Stream.CRITICAL] == 1
    # The relay waits until there is room, and then fills it.
    assert relay.run_once().published == {}
    client().ltrim("default", 0, 1)
    done = relay.run_once()
    assert (done.published, client().llen("default")) == ({Stream.DEFAULT: 20}, 4)
    client().ltrim("default", 0, 1)
    # This process notices after its next message that the queue is short.
    left = new_message(100)
    assert is_due(left)
    assert not is_due(new_message(101))
    assert client().llen("default") == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("patient")
def test_burst_of_one_call_goes_in_tasks_of_many(settings):
    settings.RELAY_HIGH_WATER = 4
    few = [Draft(kind="password-reset", to=f"person{number}@example.com") for number in range(4)]
    many = [Draft(kind="welcome", to=f"person{number}@example.com") for number in range(5)]
    written = enqueue_many([*few, *many])
    publish._publisher.submit(lambda: None).result()
    assert [is_due(message.id) for message in written] == [False] * 4 + [True] * 5
    assert publish.queue_depths() == {Stream.CRITICAL: 4, Stream.DEFAULT: 0, Stream.BULK: 0}
