"""The relay and the workers while no provider accepts email, and when one does again."""

import base64
import json
from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models.functions import Now

from notifications.breaker import permits
from notifications.breaker.circuit import CONSECUTIVE_FAILURES
from notifications.breaker.permits import acquire, report
from notifications.budget.keys import pace_key
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import NO_PROVIDER, deliver
from notifications.models import Message
from notifications.outbox import relay
from notifications.providers.base.sending import Accepted, ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from notifications.runtime.redis_client import client
from tests.factories import MessageFactory
from tests.notifications.breaker.breakers import open_circuit, until_probe

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

CARRIER = Carrier(task_id="task-1", worker="test@here")
DOWN, AMBIGUOUS, REFUSED = ErrorClass.TRANSIENT, ErrorClass.AMBIGUOUS, ErrorClass.MISCONFIGURED


def run(*messages, stream=Stream.DEFAULT):
    return deliver([message.id for message in messages], stream, CARRIER)


def fresh(message):
    return Message.objects.get(id=message.id)


@pytest.fixture
def backlog(valkey):
    client().set(relay.SENTINEL, "1")
    return {stream: MessageFactory.create_batch(3, stream=stream) for stream in reversed(Stream)}


def test_relay_publishes_nothing_while_no_provider_accepts_email(provider, second, backlog):
    for name in ("scripted", "second"):
        open_circuit(name)
    done = relay.run_once()
    assert (done.published, done.has_no_provider) == ({}, True)
    assert Message.objects.filter(relayed=0).count() == 9


def test_relay_publishes_one_task_of_the_most_urgent_messages_as_a_probe(provider, second, backlog):
    for name in ("scripted", "second"):
        open_circuit(name)
    until_probe("second")
    for stream in Stream:
        assert relay.run_once().published == {stream: 3}
        assert client().llen(stream.value) == 1
    assert relay.run_once().published == {}


def test_relay_publishes_nothing_more_during_a_probe(provider, backlog):
    open_circuit("scripted")
    until_probe("scripted")
    assert relay.run_once().published == {Stream.CRITICAL: 3}
    acquire("scripted")
    assert relay.run_once().published == {}


def test_expired_email_does_not_block_the_probe(provider, valkey):
    stale = MessageFactory.create_batch(15, expires_at=Now(), relay_after=Now() - timedelta(hours=1))
    wanted = MessageFactory.create_batch(2, relay_after=Now())
    open_circuit("scripted")
    until_probe("scripted")
    assert relay.run_once().published == {Stream.DEFAULT: 17}
    run(*stale, *wanted)
    assert [fresh(message).status for message in wanted] == [Status.SENT] * 2
    assert {fresh(message).status for message in stale} == {Status.EXPIRED}


def test_relay_publishes_everything_once_a_provider_accepts_email_again(provider, second, backlog):
    for name in ("scripted", "second"):
        open_circuit(name)
    assert relay.run_once().published == {}
    until_probe("second")
    report(acquire("second"), Accepted(""))
    done = relay.run_once()
    assert list(done.published.items()) == [(stream, 3) for stream in Stream]
    assert not done.has_no_provider


def test_relay_keeps_the_pace_of_the_provider_in_use(provider, second, backlog):
    client().set(pace_key("scripted", Stream.BULK), "0.000", px=5000)
    assert relay.run_once().published[Stream.BULK] == 1
    open_circuit("scripted")
    assert relay.run_once().published == {Stream.BULK: 2}
    client().set(pace_key("second", Stream.CRITICAL), "0.000", px=5000)
    assert relay.run_once().paced


def one_round():
    """Run the relay, then deliver the queues as a worker would: urgent email first."""
    relay.run_once()
    for stream in Stream:
        while task := client().rpop(stream.value):
            arguments, _, _ = json.loads(base64.b64decode(json.loads(task)["body"]))
            deliver([UUID(raw) for raw in arguments[0]], stream, CARRIER)


def test_outage_of_all_providers_costs_a_bounded_number_of_attempts_and_no_message(provider, second, settings):
    settings.EMAIL_STREAM_RATES = ""
    client().set(relay.SENTINEL, "1")
    for stream in reversed(Stream):
        MessageFactory.create_batch(20, stream=stream)
    down = [ProviderError(DOWN, "http-503")] * 1000
    provider.script.extend(down)
    second.script.extend(down)
    for _ in range(12):
        one_round()
        for name in ("scripted", "second"):
            until_probe(name)
    probes = 12 * 2 * 2  # on a slow machine, a circuit may be probed twice per round
    made = sum(message.attempts for message in Message.objects.all())
    assert made <= 2 * CONSECUTIVE_FAILURES + probes
    assert sum(message.counted_attempts for message in Message.objects.all()) <= 2 * CONSECUTIVE_FAILURES
    assert Message.objects.filter(status=Status.QUEUED).count() == 60
    provider.script.clear()
    second.script.clear()
    Message.objects.update(due_at=Now(), relay_after=Now())
    rounds = 0
    while Message.objects.filter(status=Status.QUEUED).exists() and (rounds := rounds + 1) < 100:
        one_round()
    assert set(Message.objects.values_list("status", flat=True)) == {Status.SENT}
    taken = [email.message_id for email in [*provider.taken, *second.taken]]
    assert len(taken) == len(set(taken)) == 60
    streams = dict(Message.objects.values_list("id", "stream"))
    # Each of the two providers got the urgent messages first.
    for one in (provider, second):
        order = [list(Stream).index(streams[email.message_id]) for email in one.taken]
        assert order == sorted(order)


def test_new_process_finds_the_circuit_open(provider):
    open_circuit("scripted")
    permits.reset()
    assert run(MessageFactory()).counts == {NO_PROVIDER: 1}
