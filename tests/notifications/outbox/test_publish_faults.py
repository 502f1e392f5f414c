"""Single faults of the broker: a request loses no message and little time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from celery import Celery
from django.db.models.functions import Now

from devtools.benchmarks import faulty_broker
from devtools.benchmarks.faulty_broker import FaultyBroker
from notifications.models import Message
from notifications.outbox import Draft, enqueue, publish, relay
from notifications.rules.states import Status, Stream
from notifications.runtime import celery
from tests.live.running import eventually
from tests.notifications.outbox.published import published_ids, queued

pytestmark = pytest.mark.django_db(transaction=True)

# During these, nothing can be published.
AWAY = {"refused", "frozen", "read_only", "full", "locked"}
PRESENT = {"slow", "wiped", "restarted"}


def producer_of(url):
    """The producer of a process that has just started."""
    producer = Celery("test", set_as_current=False)
    producer.add_defaults(lambda: celery.options(producer.conf))
    producer.conf.broker_url = url
    return producer


@pytest.fixture
def harmed(tmp_path, monkeypatch):
    """A broker with faults, and a process that has published to it once."""
    monkeypatch.setattr(faulty_broker, "AWAY_S", 0.0)
    with FaultyBroker(tmp_path) as harmed:
        producer = producer_of(harmed.url)
        thread = ThreadPoolExecutor(1)
        monkeypatch.setattr(publish, "current_app", producer)
        monkeypatch.setattr(publish, "cooldown", publish.Cooldown(publish.COOLDOWN_S))
        monkeypatch.setattr(publish, "_publisher", thread)
        with redis.Redis.from_url(harmed.url, socket_timeout=1, socket_connect_timeout=1) as client:
            monkeypatch.setattr(publish, "client", lambda: client)
            monkeypatch.setattr(relay, "client", lambda: client)
            assert relay.run_once().released
            assert publish.publish([[queued()]], Stream.DEFAULT) == 1
            yield harmed
        thread.shutdown()
        producer.close()


@pytest.fixture
def attempts(monkeypatch):
    """Collect the ids of each publish."""
    tried = []
    publish_one = publish._publish_one

    def noted(chunk, stream):
        tried.extend(message.id for message in chunk)
        publish_one(chunk, stream)

    monkeypatch.setattr(publish, "_publish_one", noted)
    return tried


def sign_up(number):
    return enqueue(Draft(kind="welcome", to=f"person{number}@example.com")).id


def test_all_faults_are_tested(harmed):
    assert set(harmed.faults) == AWAY | PRESENT


@pytest.mark.parametrize("fault", sorted(AWAY))
def test_failing_broker_is_asked_once_and_the_relay_publishes_everything_afterwards(harmed, attempts, fault):
    with harmed.faults[fault]():
        ids = {sign_up(number) for number in range(6)}
        assert len(attempts) == 1
        assert publish.cooldown.active
        # The relay is another process.
        publish.cooldown.clear()
        done = relay.run_once(relay.Round())
        assert (done.broker_is_down, done.published) == (True, {})
        assert set(Message.objects.values_list("status", "relayed")) == {(Status.QUEUED, 0)}

    def published():
        # A busy broker may not answer in time; the relay goes on in its next round.
        publish.cooldown.clear()
        relay.run_once(done)
        return ids <= published_ids(harmed.server.url)

    eventually(published)


@pytest.mark.parametrize("fault", sorted(PRESENT))
def test_broker_that_answers_gets_every_message_from_the_request_or_from_the_relay(harmed, fault):
    with harmed.faults[fault]():
        ids = {sign_up(number) for number in range(6)}
        Message.objects.update(relay_after=Now())
        relay.run_once(relay.Round())
        assert ids <= published_ids(harmed.server.url)


def test_message_published_before_a_wipe_or_a_restart_is_published_again(harmed):
    message_id = sign_up(1)
    for fault in (harmed.wiped, harmed.restarted):
        with fault():
            assert message_id not in published_ids(harmed.server.url)
            assert relay.run_once(relay.Round()).released
        assert message_id in published_ids(harmed.server.url)
        assert not relay.run_once(relay.Round()).released


def test_requests_do_not_wait_for_a_slow_publish_and_leave_only_a_crowd_to_the_relay(harmed, monkeypatch):
    go_on = threading.Event()
    publish_one = publish._publish_one

    def late(chunk, stream):
        go_on.wait(30)
        publish_one(chunk, stream)

    monkeypatch.setattr(publish, "_publish_one", late)
    ids = [sign_up(number) for number in range(publish.MOST_WAITING + 2)]
    go_on.set()
    publish._publisher.submit(lambda: None).result()
    found = published_ids(harmed.server.url)
    assert [message_id in found for message_id in ids] == [True] * (publish.MOST_WAITING + 1) + [False]
    assert Message.objects.get(id=ids[-1]).status == Status.QUEUED
    last = sign_up(99)
    publish._publisher.submit(lambda: None).result()
    assert last in published_ids(harmed.server.url)


@pytest.mark.parametrize("fault", sorted(AWAY | {"slow"}))
def test_process_starts_with_a_failing_broker_and_publishes_once_it_works(harmed, monkeypatch, fault):
    monkeypatch.setattr(publish, "current_app", starting := producer_of(harmed.url))
    with harmed.faults[fault]():
        publish.connect_to_broker()
    # A busy broker may not answer within 0.1 s.
    eventually(lambda: publish.publish([[queued()]], Stream.DEFAULT) == 1)
    starting.close()
