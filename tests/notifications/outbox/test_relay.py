import threading
import time
from datetime import timedelta

import pytest
import redis
from django.db.models.functions import Now

from accounts import emails
from notifications.budget.keys import pace_key
from notifications.management.commands import relay as relay_command
from notifications.models import DeliveryAttempt, Message
from notifications.outbox import backlog, publish, recover, relay
from notifications.rules.states import Status, Stream
from notifications.runtime.redis_client import client
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

HOUR = Now() + timedelta(hours=1)


@pytest.fixture
def sentinel(valkey):
    client().set(relay.SENTINEL, client().info("server")["run_id"])


def test_due_message_is_published_once_and_postponed(sentinel):
    message = MessageFactory()
    assert relay.run_once().published == {Stream.DEFAULT: 1}
    assert relay.run_once().published == {}
    assert client().llen("default") == 1
    message.refresh_from_db()
    assert message.relayed == 1
    assert timedelta(seconds=8) < message.relay_after - message.created_at < timedelta(seconds=13)


@pytest.mark.parametrize(
    "changes",
    [
        {"due_at": Now() + timedelta(seconds=9)},
        {"relay_after": Now() + timedelta(seconds=9)},
        {"status": Status.DEAD},
    ],
)
def test_message_is_not_published_before_it_is_due(sentinel, changes):
    MessageFactory(**changes)
    assert relay.run_once().published == {}


def test_backlog_stays_in_the_database_above_the_high_water_mark(sentinel, settings):
    settings.RELAY_HIGH_WATER, settings.RELAY_CHUNK_SIZE = 3, 2
    for _ in range(20):
        MessageFactory(stream=Stream.DEFAULT)
    assert relay.run_once().published == {Stream.DEFAULT: 6}
    assert relay.run_once().published == {}
    assert client().llen("default") == 3


def test_round_names_the_queues_that_left_a_backlog(sentinel, settings):
    settings.RELAY_HIGH_WATER, settings.RELAY_CHUNK_SIZE = 4, 2
    MessageFactory.create_batch(20)
    MessageFactory.create_batch(3, stream=Stream.BULK)
    done = relay.run_once()
    assert done.refill_at == {Stream.DEFAULT: 2}
    assert not relay.has_room(done)
    client().ltrim("default", 0, 1)
    assert relay.has_room(done)
    assert not relay.has_room(relay.Round())


def test_next_round_starts_when_half_of_the_queue_is_gone(sentinel, settings):
    stop = threading.Event()
    full = relay.Round(refill_at={Stream.DEFAULT: 0})
    began = time.monotonic()
    relay_command._wait(stop, full, 300)
    assert time.monotonic() - began < 200
    client().lpush("default", "task")
    threading.Timer(0.3, client().delete, ["default"]).start()
    relay_command._wait(stop, full, 300)
    assert time.monotonic() - began < 200


def test_stream_held_back_by_the_budget_is_published_at_its_pace(sentinel):
    for _ in range(40):
        MessageFactory(stream=Stream.BULK)
        MessageFactory(stream=Stream.DEFAULT)
    client().set(pace_key("simulator", Stream.BULK), "50.000", px=5000)
    done = relay.run_once()
    assert done.paced
    # A quarter more than the budget grants until the next round, plus one: even at a pace of zero, a worker asks again.
    assert done.published == {Stream.BULK: 14, Stream.DEFAULT: 40}
    client().set(pace_key("simulator", Stream.BULK), "0.000", px=5000)
    assert relay.run_once().published == {Stream.BULK: 1}
    client().delete(pace_key("simulator", Stream.BULK))
    assert relay.run_once().published == {Stream.BULK: 25}
    assert not relay.run_once().paced


def test_rounds_are_short_while_a_stream_is_held_back(sentinel):
    assert relay_command._round(relay.Round())[1] == 0.5
    MessageFactory(stream=Stream.BULK)
    client().set(pace_key("simulator", Stream.BULK), "50.000", px=5000)
    done, pause_s = relay_command._round(relay.Round())
    assert pause_s < backlog.PACED_ROUND_S
    assert relay_command._round(relay.Round(paced=done.paced))[1] < backlog.PACED_ROUND_S


@pytest.mark.parametrize(
    ("message", "done"),
    [
        ({}, {}),
        ({"abandoned": True}, {"recovered": 1}),
        ({"status": Status.UNCERTAIN, "settle_at": Now()}, {"settled": 1}),
        # The brake is off, so it holds no message.
        ({"slowed_until": HOUR, "relay_after": HOUR, "due_at": HOUR}, {}),
    ],
)
def test_round_after_an_idle_one_finds_each_kind_of_work(sentinel, message, done):
    MessageFactory(**message)
    assert relay.run_once(relay.Round()) == relay.Round(published={Stream.DEFAULT: 1}, **done)


def test_idle_round_costs_one_statement_and_one_round_trip_to_the_broker(sentinel, django_assert_num_queries):
    before = client().info("commandstats")
    with django_assert_num_queries(1):
        assert relay.run_once(relay.Round()).idle
    after = client().info("commandstats")
    calls = {name: stats["calls"] - before.get(name, {"calls": 0})["calls"] for name, stats in after.items()}
    assert {name for name, count in calls.items() if count} == {"cmdstat_set", "cmdstat_get", "cmdstat_info"}


def test_failed_publish_leaves_the_rows_due(sentinel, monkeypatch):
    for _ in range(5):
        MessageFactory()
    monkeypatch.setattr(publish, "publish", lambda chunks, stream: 2)
    assert relay.run_once().published == {Stream.DEFAULT: 2}
    assert Message.objects.filter(relay_after__lte=Now()).count() == 3


def test_wiped_broker_makes_everything_due_again(valkey):
    MessageFactory(relay_after=Now() + timedelta(minutes=5), relayed=6)
    MessageFactory(relay_after=Now() + timedelta(minutes=5), due_at=Now() + timedelta(minutes=5))
    done = relay.run_once()
    assert done.released
    assert done.published == {Stream.DEFAULT: 1}
    assert not relay.run_once().released


def test_outage_of_the_broker_does_not_stop_the_recovery(monkeypatch):
    monkeypatch.setattr(relay, "client", lambda: redis.Redis(port=1, socket_connect_timeout=0.1))
    MessageFactory()
    abandoned = MessageFactory(abandoned=True)
    done = relay.run_once()
    assert (done.recovered, done.published, done.broker_is_down) == (1, {}, True)
    abandoned.refresh_from_db()
    assert abandoned.status == Status.QUEUED


def test_messages_are_published_immediately_after_an_outage_of_the_broker(sentinel):
    MessageFactory(relay_after=Now() + timedelta(seconds=10))
    assert relay.run_once(relay.Round(broker_is_down=True)).published == {Stream.DEFAULT: 1}
    assert not relay.run_once(relay.Round()).released


def test_claim_of_a_lost_worker_goes_back_to_the_queue(sentinel):
    message = MessageFactory(abandoned=True)
    assert recover.recover_ended_leases() == (1, 0)
    message.refresh_from_db()
    assert (message.status, message.lease_token) == (Status.QUEUED, None)
    assert not DeliveryAttempt.objects.exists()


def test_handed_over_message_of_a_lost_worker_is_uncertain(sentinel):
    message = MessageFactory(abandoned=True, handed_over=True)
    assert recover.recover_ended_leases() == (0, 1)
    message.refresh_from_db()
    assert message.status == Status.UNCERTAIN
    attempt = message.delivery_attempts.get()
    assert (attempt.number, attempt.result, attempt.error_code) == (1, "ambiguous", "worker-lost")


def test_active_claim_is_not_ended(sentinel):
    MessageFactory(sending=True)
    assert recover.recover_ended_leases() == (0, 0)


def test_uncertain_message_is_resent_after_each_lost_answer_if_at_least_once(sentinel):
    message = MessageFactory(uncertain=True)
    for resends in range(1, recover.MAX_RESENDS + 1):
        Message.objects.filter(id=message.id).update(status=Status.UNCERTAIN, settle_at=Now(), relayed=6)
        assert recover.settle_uncertain() == 1
        message.refresh_from_db()
        assert (message.status, message.uncertain_resends, message.relayed) == (Status.QUEUED, resends, 0)


@pytest.mark.parametrize(
    "spent",
    [
        {"kind": "product-news"},
        {"attempts": emails.WELCOME.max_attempts},
        {"uncertain_resends": recover.MAX_RESENDS},
        {"expires_at": Now()},
    ],
)
def test_uncertain_message_waits_for_an_operator_if_at_most_once_or_out_of_resends(sentinel, spent):
    message = MessageFactory(**({"uncertain": True} | spent))
    assert recover.settle_uncertain() == 0
    message.refresh_from_db()
    assert (message.status, message.settle_at) == (Status.UNCERTAIN, None)


def test_uncertain_message_of_an_unknown_kind_waits(sentinel):
    message = MessageFactory(uncertain=True, kind="gone")
    assert recover.settle_uncertain() == 0
    message.refresh_from_db()
    assert message.status == Status.UNCERTAIN


def test_uncertain_message_waits_for_its_settling_time(sentinel):
    MessageFactory(uncertain=True, settle_at=Now() + timedelta(minutes=1))
    assert recover.settle_uncertain() == 0
