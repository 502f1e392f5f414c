"""What a task costs in the broker, and the client that a channel keeps."""

from collections import Counter

import pytest
from celery import current_app
from kombu import Queue

from notifications.runtime.redis_client import client

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


def publish(connection):
    with current_app.amqp.Producer(connection) as producer:
        current_app.send_task("mailroom.unknown", queue=QUEUE, producer=producer, declare=[])


def test_publishing_a_task_is_one_command(connection):
    publish(connection)
    before = commands()
    publish(connection)
    assert commands() - before == {"lpush": 1}


def test_consuming_and_acknowledging_a_task_are_two_transactions(connection):
    publish(connection)
    publish(connection)
    queue = Queue(QUEUE, routing_key=QUEUE, channel=connection.default_channel)
    with connection.Consumer([queue], callbacks=[lambda body, message: message.ack()]):
        connection.drain_events(timeout=10)
        before = commands()
        connection.drain_events(timeout=10)
        spent = commands() - before
    assert spent.pop("brpop") <= 2
    assert spent == {"multi": 2, "exec": 2, "zadd": 1, "hset": 1, "zrem": 1, "hdel": 1}


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
