"""What a task costs in the broker, and the client that a channel keeps."""

from collections import Counter

import pytest
from celery import current_app
from kombu import Queue

from notifications.runtime.redis_client import client
from notifications.runtime.transport import DELIVER_TASK

pytestmark = pytest.mark.usefixtures("valkey")

QUEUE = "transport-test"
# What kombu asks every few seconds, and connections.
PERIODIC = {"ping", "hello", "client|setinfo", "auth", "select", "info", "client|kill"}


def commands():
    stats = client().info("commandstats")
    calls = Counter({name.removeprefix("cmdstat_"): figures["calls"] for name, figures in stats.items()})
    return Counter({name: count for name, count in calls.items() if name not in PERIODIC})


@pytest.fixture
def connection():
    with current_app.connection_for_write() as connection:
        yield connection


def publish(connection, task="mailroom.unknown"):
    with current_app.amqp.Producer(connection) as producer:
        current_app.send_task(task, queue=QUEUE, producer=producer, declare=[])


def receive(connection, act):
    """Receive a task and call `act` with its message."""
    queue = Queue(QUEUE, routing_key=QUEUE, channel=connection.default_channel)
    with connection.Consumer([queue], callbacks=[lambda body, message: act(message)]):
        connection.drain_events(timeout=10)


def test_publishing_a_task_is_one_command(connection):
    publish(connection)
    before = commands()
    publish(connection)
    assert commands() - before == {"lpush": 1}


@pytest.mark.parametrize(
    ("task", "stored"),
    [
        ("mailroom.unknown", {"multi": 2, "exec": 2, "zadd": 1, "hset": 1, "zrem": 1, "hdel": 1}),
        (DELIVER_TASK, {}),
    ],
)
def test_only_other_tasks_than_deliveries_are_stored_until_they_are_acknowledged(connection, task, stored):
    publish(connection, task)
    publish(connection, task)
    queue = Queue(QUEUE, routing_key=QUEUE, channel=connection.default_channel)
    with connection.Consumer([queue], callbacks=[lambda body, message: message.ack()]):
        connection.drain_events(timeout=10)
        before = commands()
        connection.drain_events(timeout=10)
        spent = commands() - before
    assert spent.pop("brpop") <= 2
    assert spent == stored


@pytest.mark.parametrize("task", [DELIVER_TASK, "mailroom.unknown"])
def test_task_that_a_worker_returns_is_queued_again(connection, task):
    publish(connection, task)
    receive(connection, lambda message: message.requeue())
    assert client().llen(QUEUE) == 1


@pytest.mark.parametrize("task", [DELIVER_TASK, "mailroom.unknown"])
def test_task_that_a_worker_held_is_queued_again_when_it_stops(connection, task):
    publish(connection, task)
    receive(connection, lambda message: None)
    assert client().llen(QUEUE) == 0
    connection.default_channel.close()
    assert client().llen(QUEUE) == 1


def test_channel_keeps_its_client_until_it_gets_another_pool(connection):
    channel = connection.default_channel
    kept = channel._create_client()
    assert channel._create_client() is kept
    assert channel._create_client(asynchronous=True) is not kept
    channel._disconnect_pools()
    assert channel._create_client() is not kept
    publish(connection)


def test_publishing_continues_after_the_broker_closed_the_connections(connection):
    publish(connection)
    client().client_kill_filter(_type="normal", skipme=True)
    publish(connection)
    assert client().llen(QUEUE) == 2
