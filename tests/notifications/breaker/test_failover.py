"""While providers are down, email is rerouted or waits without using up attempts."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from accounts import emails
from notifications.breaker.circuit import CONSECUTIVE_FAILURES
from notifications.breaker.permits import acquire
from notifications.delivery.answers import MAX_FORGIVEN
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import NO_PROVIDER, deliver
from notifications.models import Message
from notifications.outbox import relay
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory
from tests.notifications.breaker.breakers import open_circuit, until_probe
from tests.notifications.budget.budgets import counted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

CARRIER = Carrier(task_id="task-1", worker="test@here")
DOWN, AMBIGUOUS, REFUSED = ErrorClass.TRANSIENT, ErrorClass.AMBIGUOUS, ErrorClass.MISCONFIGURED


def run(*messages, stream=Stream.DEFAULT):
    return deliver([message.id for message in messages], stream, CARRIER)


def fresh(message):
    return Message.objects.get(id=message.id)


def attempts():
    return sorted(Message.objects.values_list("attempts", flat=True))


def test_email_goes_to_the_first_provider_while_it_accepts_it(provider, second):
    run(*MessageFactory.create_batch(3))
    assert (len(provider.taken), len(second.taken)) == (3, 0)


def test_email_goes_to_the_second_provider_while_the_first_is_down(provider, second):
    open_circuit("scripted")
    message = MessageFactory()
    run(message)
    after = fresh(message)
    assert (len(provider.taken), len(second.taken)) == (0, 1)
    assert (after.status, after.provider, after.delivery_attempts.get().provider) == (Status.SENT, "second", "second")


def test_email_goes_to_the_first_provider_again_after_a_successful_probe(provider, second):
    open_circuit("scripted")
    until_probe("scripted")
    run(*MessageFactory.create_batch(3))
    assert (len(provider.taken), len(second.taken)) == (3, 0)


def test_one_message_is_the_probe_and_the_others_are_rerouted(provider, second):
    open_circuit("scripted")
    until_probe("scripted")
    provider.script.append(DOWN)
    messages = MessageFactory.create_batch(3)
    assert str(run(*messages)) == "1 transient, 2 sent"
    assert (len(provider.taken), len(second.taken)) == (0, 2)


def test_rest_of_a_group_is_rerouted_as_soon_as_the_circuit_opens(provider, second):
    # The first group of a task is one message; by then the provider is known to be fast, and nine are claimed together.
    provider.script.extend([DOWN] * 10)
    messages = MessageFactory.create_batch(10)
    report = run(*messages)
    assert str(report) == f"{CONSECUTIVE_FAILURES} transient, {10 - CONSECUTIVE_FAILURES} sent"
    assert len(second.taken) == 10 - CONSECUTIVE_FAILURES
    assert attempts() == [1] * 10
    # Unused grants of the first provider's budget are returned.
    assert (counted("scripted"), counted("second")) == (0, 10 - CONSECUTIVE_FAILURES)


@pytest.mark.parametrize("is_probe", [False, True])
def test_message_refused_as_the_circuit_opens_is_rerouted_without_a_wait(provider, second, is_probe):
    message = MessageFactory()
    provider.script.append(REFUSED)
    if is_probe:
        open_circuit("scripted")
        until_probe("scripted")
    assert run(message).retry_in_s == 0
    assert str(run(message)) == "1 sent"
    assert fresh(message).provider == "second"


def test_message_waits_if_all_circuits_are_open(provider, second):
    open_circuit("second")
    provider.script.append(REFUSED)
    assert 1 <= run(MessageFactory()).retry_in_s <= 2


def test_rest_of_a_group_stays_untried_without_another_provider(provider):
    provider.script.extend([None, *[REFUSED] * 9])
    messages = MessageFactory.create_batch(10, relay_after=Now() + timedelta(minutes=1))
    assert run(*messages).counts == {"sent": 1, "misconfigured": 1, NO_PROVIDER: 8}
    assert attempts() == [0] * 8 + [1] * 2
    assert Message.objects.filter(status=Status.QUEUED, lease_token=None, relay_after__lte=Now()).count() == 8


def test_uncertain_message_is_never_sent_by_another_provider(provider, second):
    provider.script.extend([AMBIGUOUS] * 5)
    messages = MessageFactory.create_batch(8)
    assert str(run(*messages)) == "5 ambiguous, 3 sent"
    in_doubt = Message.objects.filter(status=Status.UNCERTAIN)
    assert in_doubt.count() == 5
    for message in messages:
        run(message)
    assert relay.run_once().published == {}
    assert {email.message_id for email in second.taken}.isdisjoint(in_doubt.values_list("id", flat=True))
    assert {message.provider for message in in_doubt} == {"scripted"}


def test_waiting_for_a_provider_costs_no_attempt(provider, second):
    messages = MessageFactory.create_batch(4, attempts=3, attempts_forgiven=1)
    for name in ("scripted", "second"):
        open_circuit(name)
    before = list(Message.objects.order_by("id").values("id", "attempts", "attempts_forgiven", "due_at", "status"))
    for _ in range(20):
        assert run(*messages).counts == {NO_PROVIDER: 4}
        assert run(messages[0]).retry_in_s is None
    after = list(Message.objects.order_by("id").values("id", "attempts", "attempts_forgiven", "due_at", "status"))
    assert after == before
    assert not provider.taken + second.taken


OVERLOADED = ProviderError(DOWN, "http-503")
OVERLOADED.is_reply = True


@pytest.mark.parametrize(
    ("answer", "status", "attempts"),
    [
        # The message may have caused the outage.
        (OVERLOADED, Status.DEAD, emails.WELCOME.max_attempts + MAX_FORGIVEN),
        (DOWN, Status.QUEUED, emails.WELCOME.max_attempts + 29),
        (REFUSED, Status.QUEUED, emails.WELCOME.max_attempts + 29),
    ],
)
def test_failed_probes_do_not_use_up_their_message(provider, answer, status, attempts):
    message = MessageFactory(attempts=emails.WELCOME.max_attempts - 1)
    open_circuit("scripted")
    for _ in range(30):
        until_probe("scripted")
        provider.script.append(answer)
        Message.objects.update(due_at=Now())
        run(message)
    after = fresh(message)
    assert (after.status, after.attempts) == (status, attempts)
    assert after.counted_attempts == emails.WELCOME.max_attempts - (status == Status.QUEUED)
    assert after.delivery_attempts.count() == attempts - emails.WELCOME.max_attempts + 1


def test_ambiguous_probe_is_uncertain_and_counts(provider):
    message = MessageFactory()
    open_circuit("scripted")
    until_probe("scripted")
    provider.script.append(AMBIGUOUS)
    run(message)
    after = fresh(message)
    assert (after.status, after.attempts, after.counted_attempts) == (Status.UNCERTAIN, 1, 1)


def test_probe_refused_permanently_dies_and_closes_the_circuit(provider):
    message = MessageFactory()
    open_circuit("scripted")
    until_probe("scripted")
    provider.script.append(ErrorClass.PERMANENT)
    run(message)
    assert (fresh(message).status, fresh(message).counted_attempts) == (Status.DEAD, 1)
    assert not acquire("scripted").prober


@pytest.mark.parametrize("case", ["not due", "irrelevant", "cannot be rendered", "no budget"])
def test_probe_that_is_not_sent_makes_the_next_one_due(provider, settings, case):
    options = {
        "not due": {"due_at": Now() + timedelta(minutes=1)},
        "irrelevant": {"expires_at": Now()},
        "cannot be rendered": {"kind": "no-such-kind"},
        "no budget": {},
    }[case]
    message = MessageFactory(**options)
    open_circuit("scripted")
    until_probe("scripted")
    if case == "no budget":
        settings.EMAIL_DAILY = "1"
        run(MessageFactory())
        open_circuit("scripted")
        until_probe("scripted")
    run(message)
    assert fresh(message).attempts == 0
    assert acquire("scripted").prober


def test_worker_that_fails_before_the_call_makes_the_next_probe_due(provider, monkeypatch):
    open_circuit("scripted")
    until_probe("scripted")
    monkeypatch.setattr("notifications.delivery.deliver.gather", lambda messages: 1 / 0)
    message = MessageFactory()
    with pytest.raises(ZeroDivisionError):
        run(message)
    assert fresh(message).status == Status.QUEUED
    assert acquire("scripted").prober
