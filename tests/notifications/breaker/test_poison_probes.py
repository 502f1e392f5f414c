"""Messages that fail every time: they cost a bounded number of calls, and nobody else's email waits for them."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from accounts import emails
from notifications.breaker import permits
from notifications.delivery.deliver import MAX_FORGIVEN, NO_PROVIDER, deliver
from notifications.delivery.record import Carrier
from notifications.models import Message
from notifications.outbox import relay
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory
from tests.notifications.breaker.breakers import let_pass, open_circuit, until_probe
from tests.notifications.breaker.test_outage import one_round

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

CARRIER = Carrier(task_id="task-1", worker="test@here")
FAILS = ProviderError(ErrorClass.TRANSIENT, "http-500")
FAILS.is_reply = True


@pytest.fixture
def refuses(provider, monkeypatch, settings):
    """Let the provider fail for some messages every time, and take all others."""
    settings.EMAIL_RATE = "1000"
    settings.EMAIL_STREAM_RATES = ""
    refused, calls, send = set(), [], provider.send

    def send_or_fail(mail):
        calls.append(mail.message_id)
        if mail.message_id in refused:
            raise FAILS
        return send(mail)

    monkeypatch.setattr(provider, "send", send_or_fail)
    provider.calls = calls
    return refused.update


def some_time_passes():
    """Let all pauses end: a message's, and the circuit's."""
    Message.objects.filter(status=Status.QUEUED).update(due_at=Now(), relay_after=Now())
    until_probe("scripted")


def test_message_that_is_the_only_probe_costs_a_bounded_number_of_calls(provider, refuses):
    message = MessageFactory()
    refuses({message.id})
    pauses = []
    for _ in range(60):
        deliver([message.id], Stream.DEFAULT, CARRIER)
        message.refresh_from_db()
        if message.status != Status.QUEUED:
            break
        pauses.append(Message.objects.filter(id=message.id).values_list(F("due_at") - Now(), flat=True)[0])
        some_time_passes()
    assert message.status == Status.DEAD
    assert len(provider.calls) <= emails.WELCOME.max_attempts + MAX_FORGIVEN
    # The pauses grow with all attempts, whether they count or not.
    assert pauses[-1] >= timedelta(minutes=30)


def test_outage_that_several_messages_meet_uses_up_none_of_them(provider, refuses):
    messages = MessageFactory.create_batch(3)
    refuses({message.id for message in messages})
    for _ in range(60):
        deliver([message.id for message in messages], Stream.DEFAULT, CARRIER)
        some_time_passes()
    tried = Message.objects.filter(status=Status.QUEUED)
    assert tried.count() == 3
    # They take turns.
    assert max(m.attempts for m in tried) - min(m.attempts for m in tried) <= 5


def test_provider_is_not_reported_down_for_one_message(provider, refuses):
    message = MessageFactory()
    refuses({message.id})
    for _ in range(8):
        deliver([message.id], Stream.DEFAULT, CARRIER)
        some_time_passes()
    assert [circuit.state for circuit in permits.states()] == ["closed"]
    # Nobody else waits for longer than the first pause.
    another = MessageFactory()
    deliver([message.id], Stream.DEFAULT, CARRIER)
    let_pass("scripted", 2.1)
    deliver([another.id], Stream.DEFAULT, CARRIER)
    another.refresh_from_db()
    assert another.status == Status.SENT


def test_failures_of_several_messages_are_reported(provider, refuses):
    messages = MessageFactory.create_batch(5)
    refuses({message.id for message in messages})
    deliver([message.id for message in messages], Stream.DEFAULT, CARRIER)
    assert [circuit.state for circuit in permits.states()] == ["open"]


def test_refused_probe_is_not_the_next_one(provider, refuses):
    bad, good = MessageFactory(), MessageFactory()
    refuses({bad.id})
    open_circuit("scripted")
    until_probe("scripted")
    deliver([bad.id], Stream.DEFAULT, CARRIER)
    Message.objects.update(due_at=Now(), relay_after=F("created_at"))
    # Its pause is over and it comes first, and yet the other one is tried.
    let_pass("scripted", 4.1)
    deliver([bad.id, good.id], Stream.DEFAULT, CARRIER)
    assert provider.calls == [bad.id, good.id, bad.id]
    good.refresh_from_db()
    assert good.status == Status.SENT


def test_refused_probe_that_is_alone_is_tried_again_a_little_later(provider, refuses):
    bad = MessageFactory()
    refuses({bad.id})
    open_circuit("scripted")
    until_probe("scripted")
    deliver([bad.id], Stream.DEFAULT, CARRIER)
    Message.objects.update(due_at=Now(), relay_after=Now())
    let_pass("scripted", 4.1)
    assert deliver([bad.id], Stream.DEFAULT, CARRIER).counts == {NO_PROVIDER: 1}
    let_pass("scripted", 5.0)
    deliver([bad.id], Stream.DEFAULT, CARRIER)
    assert provider.calls == [bad.id, bad.id]


@pytest.mark.parametrize("count", [8, 40])
def test_bad_oldest_messages_delay_nobody_by_more_than_one_pause(provider, refuses, count):
    bad = [MessageFactory(created_at=Now() - timedelta(hours=1), attempts=2) for _ in range(count)]
    good = MessageFactory.create_batch(20)
    refuses({message.id for message in bad})
    open_circuit("scripted")
    until_probe("scripted")
    relay.run_once()
    for _ in range(4):
        some_time_passes()
        one_round()
    statuses = set(Message.objects.filter(id__in=[message.id for message in good]).values_list("status", flat=True))
    assert statuses == {Status.SENT}
