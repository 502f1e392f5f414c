"""The relay publishes nothing that is paused, and all of it after the pause."""

import base64
import json
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import OperationalError, connections, transaction
from django.db.models.functions import Now

from notifications.models import Message, Pause
from notifications.outbox import pausing, relay, work
from notifications.outbox.pausing import end_pause, start_pause
from notifications.rules.states import Status, Stream
from notifications.runtime.redis_client import client
from tests.factories import MessageFactory
from tests.notifications.delivery.delivering import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

BY = {"by": "Ada", "reason": "wrong text"}


@pytest.fixture(autouse=True)
def _sentinel(valkey):
    client().set(relay.SENTINEL, client().info("server")["run_id"])


def aged(minutes, **changes):
    message = MessageFactory(**changes)
    then = Now() - timedelta(minutes=minutes)
    Message.objects.filter(id=message.id).update(created_at=then, relay_after=then)
    return message


@pytest.mark.parametrize(("what", "name"), [("stream", "default"), ("kind", "welcome")])
def test_relay_leaves_paused_messages_and_finds_no_work(what, name):
    MessageFactory.create_batch(3)
    start_pause(what, name, **BY)
    assert relay.run_once().published == {}
    assert not work.has_work()
    assert set(Message.objects.values_list("status", "attempts", "relayed")) == {(Status.QUEUED, 0, 0)}


def test_paused_kind_does_not_block_the_others_behind_it(monkeypatch):
    monkeypatch.setattr(pausing, "BATCH", 4)
    for minutes in range(9):
        aged(60 + minutes)
    MessageFactory.create_batch(2, kind="password-changed")
    start_pause("kind", "welcome", **BY)
    assert relay.run_once().published == {Stream.DEFAULT: 2}


def test_next_round_parks_the_rest_of_a_long_queue(monkeypatch):
    monkeypatch.setattr(pausing, "BATCH", 4)
    monkeypatch.setattr(pausing, "LONGEST_S", 0.0)
    MessageFactory.create_batch(9)
    start_pause("stream", "default", **BY)
    rounds = [relay.run_once() for _ in range(5)]
    assert [done.parking for done in rounds] == [{Stream.DEFAULT}] * 2 + [set()] * 3
    assert all(done.published == {} for done in rounds)
    assert not work.has_work()


@pytest.mark.parametrize("batch", [2, 5000])
def test_messages_go_in_their_old_order_after_the_pause(provider, monkeypatch, batch):
    monkeypatch.setattr(pausing, "BATCH", batch)
    messages = [aged(minutes) for minutes in (3, 9, 1, 7, 5)]
    start_pause("stream", "default", **BY)
    relay.run_once()
    # A worker that gets a task from before the pause.
    assert str(run(messages[0])) == "1 paused"
    end_pause("stream", "default", by="Ada")
    assert work.has_work()
    assert relay.run_once(relay.Round()).published == {Stream.DEFAULT: 5}
    assert not work.has_work()
    in_order = [messages[place].id for place in (1, 3, 4, 0, 2)]
    assert published() == in_order
    assert run(*messages).counts == {"sent": 5}


def test_release_ends_although_another_relay_goes_on_publishing(monkeypatch):
    MessageFactory()
    start_pause("stream", "default", **BY)
    relay.run_once()
    end_pause("stream", "default", by="Ada")
    execute, calls = pausing._execute, []

    def executed(*args, **terms):
        count = execute(*args, **terms)
        calls.append(count)
        assert len(calls) < 5
        Message.objects.update(relay_after=Now() + timedelta(seconds=10))
        return count

    monkeypatch.setattr(pausing, "_execute", executed)
    assert pausing.release_ended() == 1
    assert Pause.objects.get().is_released


def published():
    tasks = [json.loads(task) for task in reversed(client().lrange("default", 0, -1))]
    return [UUID(message_id) for task in tasks for message_id in ids_of(task)]


def ids_of(task):
    return json.loads(base64.b64decode(task["body"]))[0][0]


def test_messages_go_when_the_time_of_the_pause_is_up():
    MessageFactory()
    start_pause("kind", "welcome", **BY, lasts=timedelta(hours=1))
    relay.run_once()
    Pause.objects.update(until=Now() - timedelta(seconds=1))
    assert work.has_work()
    assert relay.run_once(relay.Round()).published == {Stream.DEFAULT: 1}
    ended = Pause.objects.get()
    assert (ended.ended_at, ended.ended_by, ended.is_released) == (ended.until, "", True)


def test_message_waits_for_the_last_of_its_pauses():
    MessageFactory()
    start_pause("kind", "welcome", **BY)
    start_pause("stream", "default", **BY)
    relay.run_once()
    end_pause("stream", "default", by="Ada")
    assert relay.run_once(relay.Round()).published == {}
    end_pause("kind", "welcome", by="Ada")
    assert relay.run_once(relay.Round()).published == {Stream.DEFAULT: 1}


def test_message_that_waits_for_its_retry_keeps_its_time():
    MessageFactory(due_at=Now() + timedelta(hours=1), relay_after=Now() + timedelta(hours=1))
    start_pause("stream", "default", **BY)
    end_pause("stream", "default", by="Ada")
    assert relay.run_once().published == {}


def test_expired_message_ends_during_the_pause(provider):
    message = MessageFactory()
    start_pause("stream", "default", **BY)
    relay.run_once()
    Message.objects.update(expires_at=Now() - timedelta(seconds=1), relay_after=Now())
    assert relay.run_once().published == {Stream.DEFAULT: 1}
    run(message)
    assert Message.objects.get().status == Status.EXPIRED


def test_parked_message_is_due_at_its_expiry():
    message = MessageFactory()
    start_pause("stream", "default", **BY)
    relay.run_once()
    parked = Message.objects.get(id=message.id)
    assert parked.relay_after == parked.expires_at


def test_loss_of_the_broker_publishes_nothing_that_is_paused():
    MessageFactory()
    start_pause("stream", "default", **BY)
    relay.run_once()
    client().flushdb()
    done = relay.run_once()
    assert (done.released, done.published) == (True, {})


def test_relay_publishes_nothing_while_all_providers_are_paused(provider):
    MessageFactory()
    start_pause("provider", "scripted", **BY)
    done = relay.run_once()
    assert (done.has_no_provider, done.published) == (True, {})
    end_pause("provider", "scripted", by="Ada")
    assert relay.run_once().published == {Stream.DEFAULT: 1}


@pytest.mark.django_db(transaction=True)
def test_end_of_a_pause_waits_for_a_statement_that_parks():
    MessageFactory()
    start_pause("stream", "default", **BY)
    with transaction.atomic():
        assert pausing.park() == set()
        with pytest.raises(OperationalError):
            end_in_another_connection()
    # So the messages that it parked are released.
    end_pause("stream", "default", by="Ada")
    assert pausing.release_ended() == 1


def end_in_another_connection():
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
            cursor.execute("UPDATE notifications_pause SET ended_at = now()")
    finally:
        other.close()
