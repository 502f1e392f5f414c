"""Workers that freeze, are stopped, crash, or lose the database."""

from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now

from notifications.delivery import record
from notifications.delivery import run as delivering
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.delivery.record import RecordLostError
from notifications.delivery.render import RenderingError, render
from notifications.delivery.run import REQUEUED
from notifications.models import Message
from notifications.outbox.backlog import take_due
from notifications.outbox.recover import recover_ended_leases
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

CARRIER = Carrier(task_id="task-1", worker="test@here")


def run(*messages, stream=Stream.DEFAULT, **options):
    return deliver([message.id for message in messages], stream, CARRIER, **options)


def fresh(message):
    return Message.objects.get(id=message.id)


def test_frozen_worker_may_not_hand_over_after_its_lease(provider, settings):
    message = MessageFactory()
    settings.DELIVERY_LEASE_S = 5  # less than a call can take
    report = run(message)
    assert str(report) == "1 claim lost"
    assert provider.taken == []


def test_late_acceptance_ends_a_requeued_message(provider):
    message = MessageFactory()

    def meanwhile(email):
        Message.objects.filter(id=message.id).update(lease_until=Now() - timedelta(seconds=1))
        assert recover_ended_leases() == (0, 1)
        Message.objects.filter(id=message.id).update(status=Status.QUEUED, settle_at=None)

    provider.script.append(meanwhile)
    run(message)
    after = fresh(message)
    assert after.status == Status.SENT
    assert after.delivery_attempts.get().result == "accepted"


def test_late_refusal_does_not_affect_another_claim(provider):
    message = MessageFactory()
    other = uuid4()

    def meanwhile(email):
        Message.objects.filter(id=message.id).update(lease_token=other)
        raise ProviderError(ErrorClass.PERMANENT, "no")

    provider.script.append(meanwhile)
    run(message)
    after = fresh(message)
    assert (after.status, after.lease_token) == (Status.SENDING, other)


@pytest.mark.parametrize("sent", [0, 1, 5, 11, 12])
def test_stopped_worker_finishes_its_call_and_releases_the_rest(provider, sent):
    messages = [MessageFactory(relay_after=Now() + timedelta(minutes=1), relayed=4) for _ in range(13)]
    report = run(*messages, stopping=lambda: len(provider.taken) >= sent)
    assert report.counts == Counter({"sent": sent, REQUEUED: 13 - sent})
    returned = Message.objects.filter(status=Status.QUEUED, lease_token=None, relay_after__lte=Now())
    assert list(returned.values_list("attempts", "claims_lost", "relayed")) == [(0, 0, 0)] * (13 - sent)


def test_released_messages_keep_their_place_before_the_backlog(provider):
    early = [MessageFactory() for _ in range(3)]
    backlog = [MessageFactory(relay_after=Now() - timedelta(milliseconds=1)) for _ in range(20)]
    run(*early, stopping=lambda: bool(provider.taken))
    assert [due.id for due in take_due(Stream.DEFAULT, 2)] == [message.id for message in early[1:]]
    assert len(take_due(Stream.DEFAULT, 99)) == len(backlog)


def test_grants_of_released_messages_are_released(provider, settings):
    settings.EMAIL_RATE, settings.EMAIL_STREAM_RATES = "1000", "default=8"
    messages = [MessageFactory() for _ in range(4)]
    assert run(*messages, stopping=lambda: len(provider.taken) >= 2).counts == {"sent": 2, REQUEUED: 2}
    assert str(run(*messages[2:])) == "2 sent"


def test_task_leaves_the_rest_to_the_relay_after_its_time_slice(provider, monkeypatch):
    monkeypatch.setattr(delivering, "SLICE_S", -1.0)
    MessageFactory(relay_after=Now() + timedelta(minutes=1))
    messages = [MessageFactory(relay_after=Now() + timedelta(minutes=1)) for _ in range(7)]
    # One message is tried: otherwise, a slow machine would never send any.
    assert run(*messages).counts == {"sent": 1, REQUEUED: 6}
    assert Message.objects.filter(status=Status.QUEUED, relay_after__lte=Now()).count() == 6


def test_crash_before_the_hand_over_releases_the_rest(provider, monkeypatch):
    messages = [MessageFactory() for _ in range(3)]
    provider.script.extend([None, None])
    monkeypatch.setattr("notifications.delivery.part.render", _failing_after(1, OperationalError))
    with pytest.raises(OperationalError):
        run(*messages)
    assert sorted(Message.objects.values_list("status", flat=True)) == ["queued", "queued", "sent"]


def test_message_that_cannot_be_rendered_dies_alone(provider, monkeypatch):
    monkeypatch.setattr("notifications.delivery.part.render", _failing_after(1, RenderingError("ZeroDivisionError")))
    well, poison = MessageFactory(), MessageFactory()
    assert str(run(well, poison)) == "1 sent, 1 failed"
    assert fresh(poison).status_reason.endswith(": ZeroDivisionError")


def _failing_after(times, error):
    calls = []

    def wrapped(message, *, attempt):
        calls.append(message)
        if len(calls) > times:
            raise error
        return render(message, attempt=attempt)

    return wrapped


class DatabaseOutage:
    """Raise an outage of the database the first `times` times that an attempt is recorded."""

    def __init__(self, times):
        self.times = times

    def __call__(self, execute, sql, params, many, context):
        if "INSERT INTO" in sql and "notifications_deliveryattempt" in sql and self.times > 0:
            self.times -= 1
            raise OperationalError("down")
        return execute(sql, params, many, context)


@pytest.mark.parametrize("answer", [None, ErrorClass.TRANSIENT])
def test_record_is_retried_during_an_outage_of_the_database(provider, monkeypatch, answer):
    monkeypatch.setattr(record, "PAUSE_S", 0.01)
    message = MessageFactory()
    provider.script.append(answer)
    away = DatabaseOutage(times=2)
    with connection.execute_wrapper(away):
        run(message)
    assert away.times == 0
    assert fresh(message).status == (Status.QUEUED if answer else Status.SENT)
    assert message.delivery_attempts.count() == 1


def test_lost_record_causes_no_second_send(provider, monkeypatch, settings):
    monkeypatch.setattr(record, "PAUSE_S", 0.01)
    message = MessageFactory()

    def hurry(email):
        settings.UNCERTAIN_SETTLE_S = 0.05

    provider.script.append(hurry)
    with connection.execute_wrapper(DatabaseOutage(times=1000)), pytest.raises(RecordLostError):
        run(message)
    after = fresh(message)
    assert after.status == Status.SENDING
    assert after.handed_over_at is not None


@pytest.mark.django_db(transaction=True)
def test_worker_holds_no_database_connection_while_it_waits_for_the_provider(provider):
    held = []
    provider.script.append(lambda email: held.append(connection.connection))
    message = MessageFactory()
    run(message)
    assert held == [None]
    assert fresh(message).status == Status.SENT
