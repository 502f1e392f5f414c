import json
import signal
import time
from uuid import uuid4

import pytest
import redis
from celery import Celery
from kombu.exceptions import OperationalError

from devtools.stack.ports import free_port
from devtools.stack.valkey import Valkey
from notifications.outbox import publish
from notifications.rules.states import Stream
from notifications.runtime import celery


@pytest.fixture
def own_broker(tmp_path, monkeypatch):
    """A broker that this test may break, and a producer for it."""
    with Valkey(tmp_path, free_port(), durable=False) as server:
        producer = Celery("test", set_as_current=False)
        producer.add_defaults(celery.options)
        producer.conf.broker_url = server.url
        monkeypatch.setattr(publish, "current_app", producer)
        monkeypatch.setattr(publish, "cooldown", publish.Cooldown(publish.COOLDOWN_S))
        yield server
        if server.process:
            server.process.send_signal(signal.SIGCONT)
        producer.close()


def timed_publish():
    began = time.monotonic()
    return publish.publish([[uuid4()]], Stream.DEFAULT), time.monotonic() - began


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

    def fail_at_third(ids, stream):
        if len(sent) == 2:
            raise OperationalError("down")
        sent.append(ids)

    monkeypatch.setattr(publish, "_publish_one", fail_at_third)
    assert publish.publish([[uuid4()] for _ in range(5)], Stream.DEFAULT) == 2


def test_slow_batch_is_left_to_a_later_round_without_a_cooldown(own_broker, monkeypatch):
    monkeypatch.setattr(publish, "LONGEST_S", -1.0)
    assert publish.publish([[uuid4()]], Stream.DEFAULT) == 0
    assert not publish.cooldown.active


def test_chunk_is_readable_in_flower_and_contains_only_ids(own_broker):
    ids = [uuid4(), uuid4()]
    publish.publish([ids], Stream.BULK)
    with redis.Redis.from_url(own_broker.url) as client:
        (raw,) = client.lrange("bulk", 0, -1)
    headers = json.loads(raw)["headers"]
    assert headers["argsrepr"] == "2 messages, bulk"
    assert headers["task"] == "mailroom.deliver"
