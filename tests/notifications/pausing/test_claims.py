"""Paused messages stay queued without an attempt, and go after the pause."""

import time
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from notifications import pauses
from notifications.delivery import hand_over
from notifications.delivery.deliver import NO_PROVIDER
from notifications.models import Message, Pause
from notifications.outbox import pausing
from notifications.outbox.pausing import AlreadyPausedError, end_pause, start_pause
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory
from tests.notifications.delivery.delivering import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

BY = {"by": "Ada", "reason": "wrong text"}
PAUSES = [("stream", "default"), ("kind", "welcome")]


def fresh(message):
    return Message.objects.get(id=message.id)


@pytest.mark.parametrize(("what", "name"), PAUSES)
def test_paused_message_stays_queued_and_goes_after_the_pause(provider, what, name):
    message = MessageFactory()
    start_pause(what, name, **BY)
    assert str(run(message)) == "1 paused"
    after = fresh(message)
    assert (after.status, after.attempts, after.claims_lost, provider.taken) == (Status.QUEUED, 0, 0, [])
    end_pause(what, name, by="Ada")
    assert str(run(message)) == "1 sent"


@pytest.mark.parametrize(("what", "name"), [("stream", "bulk"), ("kind", "password-reset")])
def test_pause_of_something_else_changes_nothing(provider, what, name):
    start_pause(what, name, **BY)
    assert str(run(MessageFactory())) == "1 sent"


def test_only_the_paused_kind_of_a_task_stays(provider):
    messages = [MessageFactory(), MessageFactory(kind="password-changed"), MessageFactory()]
    start_pause("kind", "welcome", **BY)
    assert run(*messages).counts == {"paused": 2, "sent": 1}


def test_pause_ends_when_its_time_is_up(provider):
    message = MessageFactory()
    start_pause("stream", "default", **BY, lasts=timedelta(hours=1))
    assert str(run(message)) == "1 paused"
    Pause.objects.update(until=Now() - timedelta(seconds=1))
    assert str(run(message)) == "1 sent"


@pytest.mark.parametrize(("what", "name"), PAUSES)
def test_paused_message_expires_as_always(provider, what, name):
    message = MessageFactory(expires_at=Now() - timedelta(seconds=1))
    start_pause(what, name, **BY)
    run(message)
    assert (fresh(message).status, provider.taken) == (Status.EXPIRED, [])


def test_pause_is_respected_by_a_process_that_has_not_read_it(provider, monkeypatch):
    monkeypatch.setattr(pauses, "READ_EVERY_S", 3600.0)
    assert pauses.in_force() == ()
    # As another process does.
    Pause.objects.create(what="stream", name="default", **BY)
    assert pauses.in_force() == ()
    assert str(run(MessageFactory())) == "1 paused"


def test_call_that_has_begun_ends_normally(provider):
    messages = MessageFactory.create_batch(2)
    provider.script.append(lambda email: start_pause("provider", "scripted", **BY))
    report = run(*messages)
    assert report.counts == {"sent": 1, NO_PROVIDER: 1}
    assert sorted(Message.objects.values_list("status", "attempts")) == [(Status.QUEUED, 0), (Status.SENT, 1)]


def test_email_of_a_paused_provider_goes_to_the_next(provider, second):
    start_pause("provider", "scripted", **BY)
    assert str(run(*MessageFactory.create_batch(2))) == "2 sent"
    assert (len(provider.taken), len(second.taken)) == (0, 2)
    end_pause("provider", "scripted", by="Ada")
    run(MessageFactory())
    assert len(provider.taken) == 1


def test_email_waits_while_all_providers_are_paused(provider, second):
    message = MessageFactory()
    for name in ("scripted", "second"):
        start_pause("provider", name, **BY)
    assert str(run(message)) == f"1 {NO_PROVIDER}"
    assert (fresh(message).status, fresh(message).attempts) == (Status.QUEUED, 0)
    end_pause("provider", "second", by="Ada")
    assert str(run(message)) == "1 sent"
    assert len(second.taken) == 1


def test_process_reads_the_pauses_again_after_a_moment(monkeypatch):
    assert pauses.paused_providers() == frozenset()
    Pause.objects.create(what="provider", name="ses", **BY)
    monkeypatch.setattr(pauses, "READ_EVERY_S", 0.0)
    assert pauses.paused_providers() == {"ses"}


def test_last_known_pauses_hold_while_the_database_fails(monkeypatch):
    def fail(rows):
        raise OperationalError("a private text")

    start_pause("provider", "ses", **BY)
    assert pauses.paused_providers() == {"ses"}
    monkeypatch.setattr(pauses, "READ_EVERY_S", 0.0)
    monkeypatch.setattr("notifications.models.pause.PauseSet.in_force", fail)
    assert pauses.paused_providers() == {"ses"}


def test_two_pauses_of_the_same_are_refused():
    first = start_pause("stream", Stream.BULK, **BY)
    with pytest.raises(AlreadyPausedError) as raised:
        start_pause("stream", Stream.BULK, by="Grace", reason="another")
    assert raised.value.args == (first,)
    assert end_pause("stream", Stream.BULK, by="Grace") == first
    assert end_pause("stream", Stream.BULK, by="Grace") is None
    ended = Pause.objects.get()
    assert (ended.by, ended.ended_by, ended.ended_at is not None) == ("Ada", "Grace", True)


def test_same_can_be_paused_again_after_its_time_is_up():
    start_pause("stream", Stream.BULK, **BY, lasts=timedelta(hours=1))
    Pause.objects.update(until=Now() - timedelta(seconds=1))
    start_pause("stream", Stream.BULK, **BY)
    assert Pause.objects.in_force().count() == 1
    pausing.release_ended()
    assert Pause.objects.filter(is_released=True).count() == 1


def test_no_call_begins_late_because_reading_the_pauses_took_long(provider, monkeypatch):
    read = pauses.paused_providers

    def slow():
        time.sleep(0.1)
        return read()

    monkeypatch.setattr(pauses, "paused_providers", slow)
    monkeypatch.setattr(hand_over, "CALL_MARGIN_S", 0.05)
    message = MessageFactory()
    assert str(run(message)) == "1 requeued"
    assert provider.taken == []
    assert Message.objects.get().attempts == 0
