"""Messages that always fail cost a bounded number of calls, and no other email waits for them."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from accounts import emails
from notifications.breaker import permits
from notifications.delivery.answers import MAX_FORGIVEN
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import NO_PROVIDER, deliver
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
def refuse_always(provider, monkeypatch, settings):
    """Let the provider always fail for some messages, and accept all others."""
    settings.EMAIL_RATE = "1000"
    settings.EMAIL_STREAM_RATES = ""
    refused, calls, send = set(), [], provider.send

    def send_or_fail(email):
        calls.append(email.message_id)
        if email.message_id in refused:
            raise FAILS
        return send(email)

    monkeypatch.setattr(provider, "send", send_or_fail)
    provider.calls = calls
    return refused.update


def let_pauses_end():
    """Let the pauses of messages and of the circuit end."""
    Message.objects.filter(status=Status.QUEUED).update(due_at=Now(), relay_after=Now())
    until_probe("scripted")


def test_message_that_is_the_only_probe_costs_a_bounded_number_of_calls(provider, refuse_always):
    message = MessageFactory()
    refuse_always({message.id})
    pauses = []
    for _ in range(60):
        deliver([message.id], Stream.DEFAULT, CARRIER)
        message.refresh_from_db()
        if message.status != Status.QUEUED:
            break
        pauses.append(Message.objects.filter(id=message.id).values_list(F("due_at") - Now(), flat=True)[0])
        let_pauses_end()
    assert message.status == Status.DEAD
    assert len(provider.calls) <= emails.WELCOME.max_attempts + MAX_FORGIVEN
    # The pauses grow with all attempts, counted or not.
    assert pauses[-1] >= timedelta(minutes=30)


def test_outage_that_affects_several_messages_uses_up_none_of_them(provider, refuse_always):
    messages = MessageFactory.create_batch(3)
    refuse_always({message.id for message in messages})
    for _ in range(60):
        deliver([message.id for message in messages], Stream.DEFAULT, CARRIER)
        let_pauses_end()
    tried = Message.objects.filter(status=Status.QUEUED)
    assert tried.count() == 3
    # They alternate.
    assert max(m.attempts for m in tried) - min(m.attempts for m in tried) <= 5


def test_provider_is_not_reported_down_for_one_message(provider, refuse_always):
    message = MessageFactory()
    refuse_always({message.id})
    for _ in range(8):
        deliver([message.id], Stream.DEFAULT, CARRIER)
        let_pauses_end()
    assert [circuit.state for circuit in permits.states()] == ["closed"]
    # No other message waits longer than the first pause.
    another = MessageFactory()
    deliver([message.id], Stream.DEFAULT, CARRIER)
    let_pass("scripted", 2.1)
    deliver([another.id], Stream.DEFAULT, CARRIER)
    another.refresh_from_db()
    assert another.status == Status.SENT


def test_failures_of_several_messages_are_reported(provider, refuse_always):
    messages = MessageFactory.create_batch(5)
    refuse_always({message.id for message in messages})
    deliver([message.id for message in messages], Stream.DEFAULT, CARRIER)
    assert [circuit.state for circuit in permits.states()] == ["open"]


def test_refused_probe_is_not_the_next_one(provider, refuse_always):
    bad, good = MessageFactory(), MessageFactory()
    refuse_always({bad.id})
    open_circuit("scripted")
    until_probe("scripted")
    deliver([bad.id], Stream.DEFAULT, CARRIER)
    Message.objects.update(due_at=Now(), relay_after=F("created_at"))
    # Its pause is over and it comes first, but the other one is tried.
    let_pass("scripted", 4.1)
    deliver([bad.id, good.id], Stream.DEFAULT, CARRIER)
    assert provider.calls == [bad.id, good.id, bad.id]
    good.refresh_from_db()
    assert good.status == Status.SENT


def test_refused_probe_without_others_is_retried_a_little_later(provider, refuse_always):
    bad = MessageFactory()
    refuse_always({bad.id})
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
def test_failing_oldest_messages_delay_others_by_one_pause_at_most(provider, refuse_always, count):
    bad = [MessageFactory(created_at=Now() - timedelta(hours=1), attempts=2) for _ in range(count)]
    good = MessageFactory.create_batch(20)
    refuse_always({message.id for message in bad})
    open_circuit("scripted")
    until_probe("scripted")
    relay.run_once()
    for _ in range(4):
        let_pauses_end()
        one_round()
    statuses = set(Message.objects.filter(id__in=[message.id for message in good]).values_list("status", flat=True))
    assert statuses == {Status.SENT}
