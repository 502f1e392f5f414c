"""Workers and relays that die or freeze while they hold messages: one hand-over at a time, no endless rounds."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now

from notifications.delivery import answers, part, speed
from notifications.delivery.attempt import Carrier, attempt_of
from notifications.delivery.claim import claim, hand_over, release, revert_hand_over
from notifications.delivery.deliver import deliver
from notifications.delivery.record import RecordLostError, RefusedAttempt, record_acceptances, record_refusals
from notifications.delivery.render import render
from notifications.models import Message, transactions
from notifications.outbox import backlog, recover, relay
from notifications.providers.base.sending import Accepted, ProviderError
from notifications.rules.retry import ErrorClass, Retry
from notifications.rules.states import Status, Stream
from notifications.runtime.redis_client import client
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

CARRIER = Carrier(task_id="task-1", worker="test@here")


def run(*messages, **options):
    return deliver([message.id for message in messages], Stream.DEFAULT, CARRIER, **options)


def fresh(message):
    return Message.objects.get(id=message.id)


def end_lease(message):
    Message.objects.filter(id=message.id).update(lease_until=Now() - timedelta(seconds=1))
    return recover.recover_ended_leases()


def settle(message):
    Message.objects.filter(id=message.id, status=Status.UNCERTAIN).update(settle_at=Now() - timedelta(seconds=1))
    return recover.settle_uncertain()


def second_claim(message):
    """Freeze the worker that claimed `message` past its lease; return the claim of the next worker."""
    end_lease(message)
    settle(message)
    (claimed,) = claim([message.id])
    return claimed


def answered(message, answer):
    return attempt_of(message, CARRIER, "scripted", answer, 0.1)


def results(message):
    return list(message.delivery_attempts.order_by("number").values_list("number", "result"))


# --- Workers frozen past the lease ---
def test_frozen_worker_cannot_hand_over_a_message_of_another_claim():
    (frozen,) = claim([MessageFactory().id])
    other = second_claim(frozen)
    assert not hand_over([frozen], "scripted")
    assert hand_over([other], "scripted")
    assert not hand_over([frozen], "scripted")
    assert fresh(frozen).attempts == 1


def test_frozen_worker_cannot_release_another_claim():
    (frozen,) = claim([MessageFactory().id])
    other = second_claim(frozen)
    release([frozen])
    revert_hand_over([frozen])
    assert fresh(frozen).lease_token == other.lease_token


def test_late_acceptance_prevents_another_send():
    (frozen,) = claim([MessageFactory().id])
    hand_over([frozen], "scripted")
    other = second_claim(frozen)
    assert results(frozen) == [(1, "ambiguous")]
    record_acceptances([answered(frozen, Accepted("late"))])
    assert not hand_over([other], "scripted")
    after = fresh(frozen)
    assert (after.status, after.lease_token, results(after)) == (Status.SENT, None, [(1, "accepted")])


def test_late_refusal_is_recorded_without_effect_on_another_claim():
    (frozen,) = claim([MessageFactory().id])
    hand_over([frozen], "scripted")
    other = second_claim(frozen)
    refusal = answered(frozen, ProviderError(ErrorClass.TRANSIENT, "503"))
    record_refusals([RefusedAttempt(attempt=refusal, decision=Retry(60.0))])
    assert (fresh(frozen).lease_token, results(frozen)) == (other.lease_token, [(1, "transient")])
    assert hand_over([other], "scripted")


def test_late_acceptance_ends_an_uncertain_message():
    (frozen,) = claim([MessageFactory().id])
    hand_over([frozen], "scripted")
    other = second_claim(frozen)
    hand_over([other], "scripted")
    end_lease(other)
    record_acceptances([answered(frozen, Accepted("late"))])
    assert fresh(frozen).status == Status.SENT
    assert results(frozen) == [(1, "accepted"), (2, "ambiguous")]


def test_worker_frozen_between_hand_over_and_call_does_not_call(provider, monkeypatch):
    monkeypatch.setattr("notifications.delivery.hand_over.CALL_MARGIN_S", -1.0)
    message = MessageFactory(relay_after=Now() + timedelta(minutes=1))
    assert str(run(message)) == "1 requeued"
    after = fresh(message)
    assert (after.status, after.attempts, after.lease_token, after.handed_over_at) == (Status.QUEUED, 0, None, None)
    assert after.relay_after == after.created_at
    monkeypatch.undo()
    assert provider.taken == []


def test_worker_frozen_between_them_past_its_lease_changes_nothing():
    (frozen,) = claim([MessageFactory().id])
    hand_over([frozen], "scripted")
    end_lease(frozen)
    revert_hand_over([frozen])
    after = fresh(frozen)
    assert (after.status, after.attempts) == (Status.UNCERTAIN, 1)


# --- Messages that crash their workers ---
def lose(message, times):
    for _ in range(times):
        Message.objects.filter(id=message.id).update(relay_after=Now())
        assert claim([message.id])
        end_lease(message)


def tasks(stream=Stream.DEFAULT):
    bodies = [json.loads(raw)["headers"]["argsrepr"] for raw in client().lrange(stream.value, 0, -1)]
    return sorted(bodies)


@pytest.mark.parametrize(("times", "in_order"), [(1, True), (2, True), (3, False), (4, False)])
def test_message_with_lost_claims_is_retried_apart_from_its_neighbours(times, in_order):
    message = MessageFactory()
    lose(message, times)
    after = fresh(message)
    assert (after.status, after.claims_lost) == (Status.QUEUED, times)
    if in_order:
        assert after.relay_after == after.created_at
    else:
        assert after.created_at < after.relay_after < after.created_at + timedelta(seconds=recover.SPREAD_S + 60)


def test_message_that_crashes_every_worker_is_a_dead_letter():
    message = MessageFactory()
    lose(message, recover.MAX_LOST_CLAIMS)
    after = fresh(message)
    assert (after.status, after.error_fingerprint, after.attempts) == (Status.DEAD, "worker/lost", 0)
    assert after.status_reason == recover.CLAIMS_LOST
    assert after.died_at is not None
    assert claim([message.id]) == []


def test_hand_over_resets_the_count():
    message = MessageFactory()
    lose(message, 3)
    (claimed,) = claim([message.id])
    hand_over([claimed], "scripted")
    assert fresh(message).claims_lost == 0


def test_suspect_is_published_alone(settings):
    settings.RELAY_HIGH_WATER = 4
    suspect = MessageFactory(claims_lost=1)
    for _ in range(9):
        MessageFactory()
    assert relay.run_once().published == {Stream.DEFAULT: 10}
    assert tasks() == sorted([str(suspect.id), *["3 messages, default"] * 3])


def test_several_batches_of_ended_leases_are_recovered_in_one_round(monkeypatch):
    monkeypatch.setattr(recover, "RECOVERY_BATCH", 3)
    for _ in range(4):
        MessageFactory(abandoned=True)
    for _ in range(4):
        MessageFactory(abandoned=True, handed_over=True)
    assert recover.recover_ended_leases() == (4, 4)


def test_recovered_messages_precede_the_backlog(settings):
    lost = MessageFactory(abandoned=True)
    for _ in range(3):
        MessageFactory(relay_after=Now() - timedelta(milliseconds=1))
    recover.recover_ended_leases()
    assert [due.id for due in backlog.take_due(Stream.DEFAULT, 1)] == [lost.id]


# --- Unexpected errors ---
def raising_for(culprit, error):
    def wrapped(message, *, attempt):
        if message.id == culprit.id:
            raise error
        return render(message, attempt=attempt)

    return wrapped


@pytest.mark.parametrize("error", [MemoryError(), TypeError("a bug")])
def test_unexpected_error_keeps_its_message_and_releases_the_others(provider, monkeypatch, error):
    first, culprit, last = (MessageFactory(relay_after=Now() + timedelta(minutes=1)) for _ in range(3))
    monkeypatch.setattr(part, "render", raising_for(culprit, error))
    # Groups are as large as for a fast provider.
    monkeypatch.setitem(speed.recent, "scripted", (0.001,))
    with pytest.raises(type(error)):
        run(first, culprit, last)
    assert [fresh(message).status for message in (first, culprit, last)] == ["sent", "sending", "queued"]
    # Not immediately, because the error may occur again.
    assert Message.objects.filter(id=last.id, relay_after__gt=Now()).exists()
    assert str(run(culprit, last)) == "1 sent"
    end_lease(culprit)
    assert fresh(culprit).claims_lost == 1


def lose_record(attempt):
    raise RecordLostError("OperationalError")


def test_lost_record_keeps_its_message_until_the_lease_ends_and_releases_the_others(provider, monkeypatch):
    called, other = MessageFactory(), MessageFactory()
    monkeypatch.setitem(speed.recent, "scripted", (0.001,))
    monkeypatch.setattr(answers, "record_acceptances", lose_record)
    with pytest.raises(RecordLostError):
        run(called, other)
    assert (fresh(called).status, fresh(other).status) == (Status.SENDING, Status.QUEUED)
    assert end_lease(called) == (0, 1)
    assert fresh(called).status == Status.UNCERTAIN


def test_error_of_the_database_releases_all_messages(provider, monkeypatch):
    messages = [MessageFactory() for _ in range(3)]
    monkeypatch.setattr(part, "render", raising_for(messages[0], OperationalError()))
    with pytest.raises(OperationalError):
        run(*messages)
    assert [fresh(message).status for message in messages] == ["queued"] * 3


# --- A frozen relay ---
@pytest.mark.django_db(transaction=True)
def test_frozen_relay_loses_its_locks(monkeypatch):
    monkeypatch.setattr(transactions, "IDLE_S", 0.2)
    message = MessageFactory(abandoned=True)

    def freeze():
        ended = Message.objects.filter(status=Status.SENDING)
        try:
            with transactions.short_transaction():
                list(recover._locked(ended))
                with ThreadPoolExecutor(1) as other:
                    other.submit(wait_for_another_relay).result()
                ended.update(status=Status.QUEUED)
        finally:
            connection.close()

    def wait_for_another_relay():
        try:
            while recover.recover_ended_leases() != (1, 0):
                assert fresh(message).status == Status.SENDING
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as frozen, pytest.raises(OperationalError):
        frozen.submit(freeze).result()
    assert fresh(message).status == Status.QUEUED


def test_uncertain_message_of_an_unknown_kind_waits_for_a_relay_that_knows_it():
    unknown = MessageFactory(uncertain=True, kind="order-shipped")
    over = MessageFactory(uncertain=True, kind="order-shipped", expires_at=Now() - timedelta(seconds=1))
    assert recover.settle_uncertain() == 0
    unknown.refresh_from_db()
    over.refresh_from_db()
    assert (unknown.status, over.status) == (Status.UNCERTAIN, Status.UNCERTAIN)
    assert unknown.settle_at is not None
    assert over.settle_at is None
