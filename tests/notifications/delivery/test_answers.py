"""The effects of an answer on its message, the address, the provider's circuit and other email."""

import pytest
from django.db.models.functions import Now

from accounts import emails
from notifications import Progress
from notifications.breaker.circuit import CONSECUTIVE_FAILURES
from notifications.breaker.permits import acquire, is_closed
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.delivery.refusals import DOMAINS, RUN
from notifications.delivery.replay import dead_letters, replay
from notifications.events.apply import read_due
from notifications.lookup import progress
from notifications.models import Message, ProviderEvent, Suppression
from notifications.providers.base.answers import meaning as m
from notifications.providers.base.sending import ProviderError
from notifications.rules.outcomes import BounceKind, Outcome
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import Reason
from tests.factories import MessageFactory, UserFactory
from tests.notifications.breaker.breakers import close_circuit, open_circuit, until_probe

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

CARRIER = Carrier(task_id="task-1", worker="test@here")
ABOUT_ONE = [one for one in m.MEANINGS if one.about.value in {"recipient", "message"}]


def run(*messages, stream=Stream.DEFAULT):
    return deliver([message.id for message in messages], stream, CARRIER)


def fresh(message):
    return Message.objects.get(id=message.id)


def reasons():
    return [Reason(reason) for reason in Suppression.objects.values_list("reason", flat=True)]


@pytest.mark.parametrize("said", ABOUT_ONE, ids=lambda one: one.name)
def test_answer_about_one_message_affects_no_other(provider, said):
    provider.script.extend([said.error("no")] * (CONSECUTIVE_FAILURES + 1))
    refused = MessageFactory.create_batch(CONSECUTIVE_FAILURES + 1)
    others = MessageFactory.create_batch(5)
    run(*refused, *others)
    assert {fresh(message).status for message in others} == {Status.SENT}
    assert is_closed("scripted")


@pytest.mark.parametrize("said", ABOUT_ONE, ids=lambda one: one.name)
def test_probe_that_is_answered_about_one_message_shows_that_the_provider_works(provider, said):
    open_circuit("scripted")
    until_probe("scripted")
    provider.script.append(said.error("no"))
    run(MessageFactory())
    assert is_closed("scripted")


def same(provider, count, text="Konto gesperrt, id {}"):
    provider.script.extend(m.MESSAGE_REFUSED.error("smtp-550", text.format(number)) for number in range(count))


def test_provider_that_refuses_all_recipients_in_unknown_words_is_stopped(provider):
    same(provider, 3 * RUN)
    messages = MessageFactory.create_batch(2 * RUN)
    run(*messages)
    # The others wait, and so does the last one tried.
    assert Message.objects.filter(status=Status.DEAD).count() == RUN - 1
    assert Message.objects.filter(status=Status.QUEUED).count() == RUN + 1
    assert not is_closed("scripted")
    # So does a probe with the same answer, and its attempt is forgiven.
    until_probe("scripted")
    probe = messages[-1]
    run(probe)
    assert (fresh(probe).status, fresh(probe).counted_attempts) == (Status.QUEUED, 0)
    assert not is_closed("scripted")
    # Once the account works again, everything is sent.
    provider.script.clear()
    until_probe("scripted")
    run(messages[-2])
    assert fresh(messages[-2]).status == Status.SENT
    assert is_closed("scripted")


def test_provider_that_temporarily_refuses_all_messages_is_down(provider):
    provider.script.extend(m.MESSAGE_LATER.error("smtp-451", "Temporary local problem") for _ in range(4 * RUN))
    messages = MessageFactory.create_batch(3 * RUN)
    run(*messages)
    assert not is_closed("scripted")
    # Untried messages have no attempt.
    assert Message.objects.filter(attempts=1).count() == RUN - 1 + CONSECUTIVE_FAILURES
    assert set(Message.objects.values_list("status", flat=True)) == {Status.QUEUED}


@pytest.mark.parametrize("said", [m.RECIPIENT_REFUSES, m.SERVER_LATER], ids=lambda one: one.name)
@pytest.mark.parametrize(("domains", "stops"), [(1, False), (DOMAINS, True)])
def test_refusal_by_servers_of_many_domains_is_about_us(provider, said, domains, stops):
    provider.script.extend(said.error("smtp-5", "no entry") for _ in range(4 * RUN))
    users = [UserFactory(email=f"person{number}@d{number % domains}.example") for number in range(2 * RUN)]
    run(*[MessageFactory(user=user) for user in users])
    assert is_closed("scripted") is not stops


def relaying_denied(email):
    if email.to_address.endswith("@outside.example"):
        raise m.REFUSES_SOME.error("smtp-550-5.7.54", "5.7.54 Unable to relay")


def outsiders(count):
    return [MessageFactory(user=UserFactory(email=f"person{number}@outside.example")) for number in range(count)]


def test_provider_that_relays_for_some_domains_only_is_closed_once(provider):
    provider.script.extend([relaying_denied] * 100)
    first, *others = outsiders(5)
    run(first)
    assert not is_closed("scripted")
    until_probe("scripted")
    run(MessageFactory())
    good = MessageFactory.create_batch(5)
    run(*others, first, *good)
    assert is_closed("scripted")
    assert {fresh(message).status for message in good} == {Status.SENT}
    # They are retried, and each attempt counts.
    assert {(fresh(one).status, fresh(one).counted_attempts) for one in others} == {(Status.QUEUED, 1)}


def test_provider_that_refuses_all_recipients_is_stopped_even_after_acceptances(provider):
    provider.script.append(m.REFUSES_SOME.error("smtp-550-5.7.1", "Relaying denied"))
    run(MessageFactory())
    until_probe("scripted")
    run(MessageFactory())
    provider.script.extend([m.REFUSES_SOME.error("smtp-550-5.7.1", "Relaying denied")] * 3 * RUN)
    messages = MessageFactory.create_batch(2 * RUN)
    run(*messages)
    assert not is_closed("scripted")
    assert {fresh(message).status for message in messages} == {Status.QUEUED}


def test_refusal_of_us_that_names_no_recipient_always_stops(provider):
    for _ in range(2):
        provider.script.append(m.REFUSES_US.error("smtp-550-5.7.1", "Your account is suspended"))
        run(MessageFactory())
        assert not is_closed("scripted")
        until_probe("scripted")
        run(MessageFactory())
        assert is_closed("scripted")


@pytest.mark.parametrize("said", [m.GREYLISTED, m.NO_MAILBOX, m.MAILBOX_FULL, m.INACTIVE], ids=lambda one: one.name)
def test_refusal_of_a_mailbox_or_by_greylisting_is_never_about_us(provider, said):
    provider.script.extend(said.error("smtp-4", "no") for _ in range(3 * RUN))
    run(*[MessageFactory(user=UserFactory(email=f"person@d{number}.example")) for number in range(2 * RUN)])
    assert is_closed("scripted")


def test_message_that_was_not_transmitted_says_nothing_about_the_provider(provider):
    never_left = ProviderError(ErrorClass.PERMANENT, "KeyError", "the message cannot be put into a request")
    never_left.never_left = True
    provider.script.extend([never_left] * 3)
    open_circuit("scripted")
    until_probe("scripted")
    message = MessageFactory()
    run(message)
    assert fresh(message).status == Status.DEAD
    assert not is_closed("scripted")
    # The next message may probe immediately.
    assert acquire("scripted").prober
    close_circuit("scripted")
    run(MessageFactory(), MessageFactory())
    assert is_closed("scripted")


@pytest.mark.parametrize("between", ["accepted", "other words", "one recipient"])
def test_refusals_without_a_series_stop_no_provider(provider, between):
    user = UserFactory()
    for number in range(3 * RUN):
        if between == "accepted" and number % 5 == 0:
            run(MessageFactory())
        words = f"reason {'abc'[number % 3]}" if between == "other words" else "the same"
        provider.script.append(m.MESSAGE_REFUSED.error("smtp-554", words))
        run(MessageFactory(user=user, kind="password-changed") if between == "one recipient" else MessageFactory())
    assert is_closed("scripted")


def test_answer_suppresses_an_address_that_does_not_exist(provider):
    provider.script.extend([m.NO_MAILBOX.error("smtp-550-5.1.1", "5.1.1 User unknown")] * 12)
    user = UserFactory(email="Ada@Example.com")
    messages = [MessageFactory(user=user, kind="password-changed") for _ in range(12)]
    first, *_ = messages
    run(first)
    suppression = Suppression.objects.get()
    assert (suppression.address, suppression.reason) == ("ada@example.com", Reason.HARD_BOUNCE)
    assert suppression.event is not None
    run(*messages)
    # The provider was called once; the other messages ended without a call.
    assert len(provider.script) == 11
    assert fresh(first).status == Status.DEAD
    assert {fresh(message).status for message in messages[1:]} == {Status.SUPPRESSED}


def test_refused_address_is_shown_like_a_bounced_one(provider):
    provider.script.append(m.NO_MAILBOX.error("smtp-550-5.1.1", "5.1.1 User unknown"))
    message = MessageFactory()
    run(message)
    assert read_due() == {ProviderEvent.State.APPLIED: 1}
    after = fresh(message)
    event = ProviderEvent.objects.get()
    assert (after.status, after.outcome, after.sent_at) == (Status.DEAD, Outcome.BOUNCED, None)
    assert (event.recipient, event.bounce, event.attempt) == (message.to_address, BounceKind.HARD, 1)
    assert message.to_address not in str(event.payload)
    assert progress(message.id) is Progress.REFUSED
    assert reasons() == [Reason.HARD_BOUNCE]


def test_lifted_and_replayed_message_has_no_outcome(provider):
    provider.script.append(m.NO_MAILBOX.error("no"))
    message = MessageFactory()
    run(message)
    read_due()
    Suppression.objects.update(lifted_at=Now())
    replay(dead_letters(), dry_run=False)
    assert fresh(message).outcome == Outcome.UNKNOWN
    run(message)
    assert fresh(message).status == Status.SENT


@pytest.mark.parametrize("said", [m.GREYLISTED, m.SERVER_LATER], ids=lambda one: one.name)
def test_busy_server_of_the_recipient_suppresses_no_address(provider, settings, said):
    settings.SOFT_BOUNCE_LIMIT = 1
    provider.script.append(said.error("smtp-451"))
    message = MessageFactory(attempts=emails.WELCOME.max_attempts - 1)
    run(message)
    read_due()
    assert fresh(message).status == Status.DEAD
    assert reasons() == []


@pytest.mark.parametrize("said", [m.MAILBOX_FULL, m.RECIPIENT_LATER], ids=lambda one: one.name)
def test_full_mailboxes_count_like_soft_bounces(provider, settings, said):
    settings.SOFT_BOUNCE_LIMIT = 2
    user = UserFactory()
    for count in (1, 2):
        provider.script.append(said.error("no"))
        run(MessageFactory(user=user, attempts=emails.WELCOME.max_attempts - 1))
        read_due()
        assert reasons() == [Reason.SOFT_BOUNCES] * (count == 2)


def test_first_greylisting_changes_nothing(provider):
    provider.script.append(m.RECIPIENT_LATER.error("smtp-450-4.2.0"))
    message = MessageFactory()
    run(message)
    assert fresh(message).status == Status.QUEUED
    assert not ProviderEvent.objects.exists()


def test_refusal_for_our_reputation_suppresses_no_address(provider, settings):
    settings.SOFT_BOUNCE_LIMIT = 1
    user = UserFactory()
    for _ in range(3):
        provider.script.append(m.RECIPIENT_REFUSES.error("smtp-550-5.7.26"))
        run(MessageFactory(user=user))
        read_due()
    assert reasons() == []
    reset = MessageFactory(user=user, kind="password-reset", stream=Stream.CRITICAL)
    run(reset, stream=Stream.CRITICAL)
    assert fresh(reset).status == Status.SENT


@pytest.mark.parametrize("said", [m.THROTTLED, m.QUOTA_SPENT, m.REFUSES_US], ids=lambda one: one.name)
def test_answer_that_is_not_the_fault_of_the_message_costs_no_attempt(provider, said):
    message = MessageFactory(attempts=emails.WELCOME.max_attempts - 1)
    provider.script.append(said.error("no"))
    run(message)
    after = fresh(message)
    assert (after.status, after.counted_attempts) == (Status.QUEUED, emails.WELCOME.max_attempts - 1)
    assert after.attempts == emails.WELCOME.max_attempts


def test_attempt_keeps_the_text_of_the_server(provider):
    provider.script.append(m.NO_MAILBOX.error("smtp-550-5.1.1", "5.1.1 …: User unknown"))
    message = MessageFactory()
    run(message)
    assert "User unknown" in message.delivery_attempts.get().error
    assert "User unknown" in fresh(message).status_reason
