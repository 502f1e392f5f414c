import json
import signal
import time

import pytest
import redis
from celery import Celery
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError

from devtools.stack.ports import free_port
from devtools.stack.valkey import Valkey
from notifications.outbox import publish
from notifications.rules.states import Stream
from notifications.runtime import celery
from tests.notifications.outbox.published import queued


@pytest.fixture
def own_broker(tmp_path, monkeypatch):
    """A broker that this test may break, and a producer for it."""
    with Valkey(tmp_path, free_port(), durable=False) as server:
        producer = Celery("test", set_as_current=False)
        producer.add_defaults(lambda: celery.options(producer.conf))
        producer.conf.broker_url = server.url
        monkeypatch.setattr(publish, "current_app", producer)
        monkeypatch.setattr(publish, "cooldown", publish.Cooldown(publish.COOLDOWN_S))
        yield server
        if server.process:
            server.process.send_signal(signal.SIGCONT)
        producer.close()


def timed_publish():
    began = time.monotonic()
    return publish.publish([[queued()]], Stream.DEFAULT), time.monotonic() - began


def test_task_is_published(own_broker):
    assert timed_publish()[0] == 1


def test_refusing_broker_is_not_asked_again_during_the_cooldown(own_broker, monkeypatch):
    monkeypatch.setattr(publish, "cooldown", publish.Cooldown(60))
    own_broker.stop()
    assert timed_publish()[0] == 0
    own_broker.start()
    assert timed_publish()[0] == 0
    assert publish.cooldown.active


def test_hanging_broker_is_abandoned_soon(own_broker):
    assert timed_publish()[0] == 1
    own_broker.process.send_signal(signal.SIGSTOP)
    done, took = timed_publish()
    # 0.15 s by the settings; the bound here only excludes an endless wait.
    assert (done, took < 5) == (0, True)
    assert publish.cooldown.active


def test_publishing_continues_after_the_cooldown(own_broker, monkeypatch):
    port = own_broker.port
    own_broker.stop()
    assert timed_publish()[0] == 0
    own_broker.start()
    assert own_broker.port == port
    publish.cooldown.clear()
    assert timed_publish()[0] == 1


def test_first_failure_ends_the_batch(own_broker, monkeypatch):
    sent = []

    def fail_at_third(chunk, stream):
        if len(sent) == 2:
            raise OperationalError("down")
        sent.append(chunk)

    monkeypatch.setattr(publish, "_publish_one", fail_at_third)
    assert publish.publish([[queued()] for _ in range(5)], Stream.DEFAULT) == 2


def test_slow_batch_is_left_to_a_later_round_without_a_cooldown(own_broker, monkeypatch):
    monkeypatch.setattr(publish, "LONGEST_S", -1.0)
    assert publish.publish([[queued()]], Stream.DEFAULT) == 0
    assert not publish.cooldown.active


def test_chunk_is_readable_in_flower_and_contains_only_ids_and_kinds(own_broker):
    publish.publish([[queued("product-news"), queued("product-news")]], Stream.BULK)
    with redis.Redis.from_url(own_broker.url) as client:
        (raw,) = client.lrange("bulk", 0, -1)
    headers = json.loads(raw)["headers"]
    assert headers["argsrepr"] == "2 messages, bulk"
    assert headers["shadow"] == "product-news \N{MULTIPLICATION SIGN}2"
    assert headers["task"] == "mailroom.deliver"


# What projects have configured for their tasks.
OTHERS = {
    "route with a key": {"task_routes": {"*": {"queue": "slow", "routing_key": "slow.low", "priority": 6}}},
    "route with an exchange": {"task_routes": {"*": {"exchange": "slow", "routing_key": "slow"}}},
    "topic exchange": {"task_default_exchange_type": "topic", "task_default_exchange": "tasks"},
    "queues with keys": {"task_queues": [Queue("default", Exchange("tasks", "topic"), routing_key="tasks.#")]},
    "priority": {"task_default_priority": 9, "task_queue_max_priority": 10},
    "protocol 1": {"task_protocol": 1},
    "pickle": {"task_serializer": "pickle", "accept_content": ["pickle"]},
}


@pytest.mark.parametrize("name", OTHERS)
def test_task_goes_to_its_queue_whatever_a_project_configures(own_broker, name):
    publish.current_app.conf.update(OTHERS[name])
    assert publish.publish([[queued()]], Stream.DEFAULT) == 1
    with redis.Redis.from_url(own_broker.url) as client:
        (raw,) = client.lrange("default", 0, -1)
        assert [key for key in client.scan_iter() if not key.startswith(b"_kombu")] == [b"default"]
    assert json.loads(raw)["properties"]["delivery_info"]["routing_key"] == "default"


def test_deliveries_leave_the_result_backend_of_a_project_alone(own_broker):
    """It would subscribe to a channel for each message, and keep it for good."""
    publish.current_app.conf.result_backend = f"redis://127.0.0.1:{free_port()}/0"
    assert publish.publish([[queued()]], Stream.DEFAULT) == 1


def test_request_leaves_messages_to_the_relay_where_tasks_are_eager(own_broker):
    publish.current_app.conf.task_always_eager = True
    assert publish.publish_for_request([[queued()]], Stream.DEFAULT) == 0
