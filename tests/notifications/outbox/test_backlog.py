"""Due messages are taken once and published in tasks of many."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from notifications.models import Message
from notifications.outbox import backlog, publish, relay
from notifications.rules.states import Stream
from notifications.runtime.redis_client import client
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.mark.parametrize(("relayed", "seconds"), [(0, 10), (1, 20), (2, 40), (3, 60), (30, 60), (1000, 60)])
def test_pause_between_publishes_grows_to_a_lease(relayed, seconds):
    message = MessageFactory(relayed=relayed)
    backlog.take_due(Stream.DEFAULT, 10)
    after = Message.objects.get(id=message.id)
    assert after.relay_after - message.created_at < timedelta(seconds=seconds + 5)
    assert Message.objects.filter(relay_after__gt=Now() + timedelta(seconds=seconds - 2)).exists()


@pytest.fixture
def batching(provider, settings, monkeypatch):
    def batching(of_provider, by_setting):
        monkeypatch.setattr(type(provider), "largest_batch", of_provider)
        settings.EMAIL_BATCH_SIZE = by_setting
        return provider

    return batching


def test_bulk_goes_in_tasks_of_the_provider_s_batch(batching):
    batching(50, 100)
    MessageFactory.create_batch(120, stream=Stream.BULK)
    MessageFactory.create_batch(21, stream=Stream.DEFAULT)
    assert relay.run_once().published == {Stream.DEFAULT: 21, Stream.BULK: 120}
    assert publish.queue_depths() == {Stream.CRITICAL: 0, Stream.DEFAULT: 21, Stream.BULK: 4}


@pytest.mark.parametrize(
    ("batch", "pace", "size", "high_water", "limit"),
    [
        (1, None, 20, 40, 800),
        (5, None, 20, 40, 800),
        (500, None, 500, 10, 5000),
        (800, None, 800, 7, 5600),
        (500, 30.0, 500, 10, 9),
        (1, 0.0, 20, 40, 1),
    ],
)
def test_plan_follows_batch_and_pace(batch, pace, size, high_water, limit):
    plan = backlog.task_plan(batch, pace)
    assert (plan.size, plan.high_water, plan.limit(plan.high_water)) == (size, high_water, limit)


@pytest.mark.parametrize(
    ("stream", "of_provider", "by_setting", "expected"),
    [(Stream.DEFAULT, 50, 100, 1), (Stream.BULK, 1, 100, 1), (Stream.BULK, 50, 1, 1), (Stream.BULK, 50, 100, 50)],
)
def test_only_bulk_goes_in_batches(batching, stream, of_provider, by_setting, expected):
    provider = batching(of_provider, by_setting)
    assert backlog.largest_batch(stream, provider.name) == expected


def test_lone_messages_keep_to_the_room():
    MessageFactory.create_batch(7, claims_lost=1)
    assert backlog.top_up(Stream.DEFAULT, 3, backlog.task_plan()) == 3
    assert client().llen("default") == 3
    assert Message.objects.filter(relay_after__lte=Now()).count() == 4


@pytest.mark.parametrize(
    ("count", "largest", "spread", "sizes"),
    [
        (0, 20, 32, []),
        (1, 20, 32, [1]),
        (32, 20, 32, [1] * 32),
        (33, 20, 32, [2] * 16 + [1]),
        (100, 20, 4, [20] * 5),
        (5, 20, 1, [5]),
        (3, 20, 0, [3]),
    ],
)
def test_backlog_is_cut_so_that_threads_share_it(count, largest, spread, sizes):
    assert [len(chunk) for chunk in backlog.cut(range(count), largest=largest, spread=spread)] == sizes


@pytest.mark.django_db(transaction=True)
def test_two_relays_never_take_the_same_row():
    for _ in range(200):
        MessageFactory()

    def take(_):
        try:
            return [due.id for _ in range(10) for due in backlog.take_due(Stream.DEFAULT, 10)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        taken = [message_id for ids in pool.map(take, range(4)) for message_id in ids]
    assert len(taken) == len(set(taken)) == 200
