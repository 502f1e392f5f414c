"""Delivery on real rows and a real budget, with a scripted provider."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from accounts import emails
from notifications import kinds
from notifications.delivery import relevance
from notifications.delivery.record import NO_TIME_LEFT
from notifications.models import Message
from notifications.models.message import ACCOUNT_DELETED
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import REFUSED, ErrorClass
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory, UserFactory
from tests.notifications.delivery.delivering import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def fresh(message):
    return Message.objects.get(id=message.id)


def test_accepted_message_is_recorded_as_sent(provider):
    message = MessageFactory()
    report = run(message)
    after = fresh(message)
    attempt = after.delivery_attempts.get()
    assert str(report) == "1 sent"
    assert (after.status, after.provider, after.attempts, after.lease_token) == (Status.SENT, "scripted", 1, None)
    assert after.sent_at is not None
    assert (attempt.number, attempt.result, attempt.provider_message_id) == (1, "accepted", "scripted-1")
    assert (attempt.task_id, attempt.worker) == ("task-1", "test@here")


def test_second_delivery_of_the_same_id_sends_nothing(provider):
    message = MessageFactory()
    run(message)
    assert str(run(message)) == "nothing to do"
    assert len(provider.taken) == 1


def test_message_is_not_sent_before_it_is_due(provider):
    message = MessageFactory(due_at=Now() + timedelta(seconds=30))
    run(message)
    assert provider.taken == []
    assert fresh(message).status == Status.QUEUED


@pytest.mark.parametrize(
    ("case", "status", "reason"),
    [
        ("expired", Status.EXPIRED, relevance.TOO_LATE),
        ("user gone", Status.CANCELLED, ACCOUNT_DELETED),
        ("user inactive", Status.CANCELLED, relevance.ACCOUNT_CLOSED),
        ("address changed", Status.CANCELLED, relevance.ADDRESS_CHANGED),
        ("confirmed", Status.CANCELLED, relevance.NOT_NEEDED),
        ("superseded", Status.CANCELLED, relevance.SUPERSEDED),
    ],
)
def test_irrelevant_message_is_not_sent_and_has_a_reason(provider, case, status, reason):
    about = {"expired": {"expires_at": Now() - timedelta(seconds=1)}, "superseded": {"kind": "password-reset"}}
    message = MessageFactory(**about.get(case, {}))
    user = message.user
    if case == "user gone":
        user.delete()
    elif case == "superseded":
        Message.objects.filter(id=message.id).update(created_at=Now() - timedelta(minutes=1))
        MessageFactory(user=user, kind="password-reset")
    else:
        user.is_active = case != "user inactive"
        user.email = "elsewhere@example.com" if case == "address changed" else user.email
        user.confirmed_at = user.date_joined if case == "confirmed" else None
        user.save()
    run(message)
    after = fresh(message)
    assert provider.taken == []
    assert (after.status, after.attempts) == (status, 0)
    assert after.status_reason == reason


def test_one_task_keeps_to_the_hourly_limit_of_an_address(provider, settings):
    settings.EMAIL_ADDRESS_HOURLY = 3
    user = UserFactory()
    messages = [MessageFactory(user=user, kind="product-news", stream=Stream.BULK) for _ in range(8)]
    MessageFactory(user=user, kind="product-news", uncertain=True)
    run(*messages, stream=Stream.BULK)
    assert len(provider.taken) == 2
    assert {fresh(message).status for message in messages} == {Status.SENT, Status.CANCELLED}


def test_tasks_keep_to_the_hourly_limit_of_an_address(provider, settings):
    settings.EMAIL_ADDRESS_HOURLY = 2
    user = UserFactory()
    MessageFactory(user=user, status=Status.SENT, sent_at=Now() - timedelta(minutes=61))
    MessageFactory(user=user, status=Status.SENT, sent_at=Now() - timedelta(minutes=1), kind="password-reset")
    for _ in range(2):
        run(MessageFactory(user=user))
    third = MessageFactory(user=user)
    run(third, MessageFactory())
    assert len(provider.taken) == 3
    assert (fresh(third).status, fresh(third).status_reason) == (Status.CANCELLED, relevance.FLOODED)


def test_dead_newer_message_supersedes_nothing(provider):
    message = MessageFactory()
    Message.objects.filter(id=message.id).update(created_at=Now() - timedelta(minutes=1))
    MessageFactory(user=message.user, status=Status.DEAD)
    run(message)
    assert fresh(message).status == Status.SENT


def test_transient_refusal_is_retried_later_by_the_row(provider):
    message = MessageFactory()
    provider.script.append(ErrorClass.TRANSIENT)
    report = run(message)
    after = fresh(message)
    assert 1 <= report.retry_in_s <= 2
    assert (after.status, after.attempts) == (Status.QUEUED, 1)
    assert timedelta(seconds=9) < after.relay_after - after.due_at < timedelta(seconds=11)
    assert after.delivery_attempts.get().result == "transient"
    assert str(run(message)) == "nothing to do"


def test_long_pause_is_left_to_the_relay(provider):
    message = MessageFactory()
    provider.script.append(ProviderError(ErrorClass.RATE_LIMITED, "429", retry_after_s=300))
    report = run(message)
    after = fresh(message)
    assert report.retry_in_s is None
    assert after.relay_after == after.due_at


def test_message_of_a_chunk_is_left_to_the_relay(provider):
    messages = [MessageFactory(), MessageFactory()]
    provider.script.extend([ErrorClass.TRANSIENT, None])
    report = run(*messages)
    assert report.retry_in_s is None
    assert str(report) == "1 transient, 1 sent"


def test_permanent_refusal_is_a_dead_letter_with_its_reason(provider):
    message = MessageFactory()
    provider.script.append(ErrorClass.PERMANENT)
    run(message)
    after = fresh(message)
    assert after.status == Status.DEAD
    assert after.status_reason.startswith(f"{REFUSED}: ")


def test_used_up_attempts_end_in_a_dead_letter(provider):
    message = MessageFactory(attempts=emails.WELCOME.max_attempts - 1)
    provider.script.append(ErrorClass.TRANSIENT)
    run(message)
    after = fresh(message)
    assert (after.status, after.error_fingerprint) == (Status.DEAD, "scripted/scripted")
    assert after.died_at is not None


def test_forgiven_attempts_do_not_end_a_message(provider):
    message = MessageFactory(attempts=40, attempts_forgiven=38)
    provider.script.append(ErrorClass.TRANSIENT)
    run(message)
    assert fresh(message).status == Status.QUEUED


def test_message_that_expires_before_the_next_attempt_is_expired(provider):
    message = MessageFactory(expires_at=Now() + timedelta(days=1))
    Message.objects.filter(id=message.id).update(created_at=Now() - emails.WELCOME.max_age + timedelta(seconds=1))
    provider.script.append(ErrorClass.MISCONFIGURED)
    run(message)
    after = fresh(message)
    assert (after.status, after.error_fingerprint, after.died_at) == (Status.EXPIRED, "", None)
    assert after.status_reason.startswith(NO_TIME_LEFT)


def test_lost_answer_is_uncertain_and_not_repeated(provider):
    message = MessageFactory()
    provider.script.append(ErrorClass.AMBIGUOUS)
    report = run(message)
    after = fresh(message)
    assert (after.status, report.retry_in_s) == (Status.UNCERTAIN, None)
    assert after.settle_at is not None
    assert str(run(message)) == "nothing to do"


def test_message_of_an_unknown_kind_waits_alone(provider):
    unknown, well = MessageFactory(kind="no-such-kind"), MessageFactory()
    assert str(run(unknown, well)) == "1 released, 1 sent"
    after = fresh(unknown)
    assert (after.status, after.attempts, after.error_fingerprint) == (Status.QUEUED, 0, "kind/UnknownKindError")
    assert after.status_reason
    assert after.due_at == after.relay_after > unknown.created_at
    assert fresh(well).status == Status.SENT


def test_error_of_a_context_is_recorded_without_its_values(provider):
    message = MessageFactory(user=UserFactory(name="secret"))
    declaration = replace(emails.WELCOME, context=lambda user: {"x": 1 / 0})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(kinds.KINDS, "welcome", declaration)
        run(message)
    reason = fresh(message).status_reason
    assert reason.endswith(": ZeroDivisionError")
    assert "secret" not in reason


def test_message_without_budget_is_deferred_without_an_attempt(provider, settings):
    # One per 100 s, so that the budget grants nothing more during the test, on any machine.
    settings.EMAIL_RATE, settings.EMAIL_STREAM_RATES = "1000", "default=0.01"
    messages = [MessageFactory() for _ in range(4)]
    report = run(*messages)
    after = [fresh(message) for message in messages]
    assert str(report) == "1 sent, 3 deferred"
    waiting = [message for message in after if message.status == Status.QUEUED]
    assert [message.attempts for message in waiting] == [0, 0, 0]
    assert len({message.due_at for message in waiting}) == 3
    assert all(message.relay_after == message.due_at for message in waiting)
