"""The thread that reads events, independent of the relay's rounds."""

import threading

import pytest
from django.db import DataError, OperationalError, connection
from django.db.models.functions import Now

from notifications.events import apply
from notifications.events.reader import PAUSE_S, Reader
from notifications.models import Message, ProviderEvent
from notifications.outbox import relay
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory
from tests.live.running import eventually
from tests.notifications.events.test_apply import store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def outcome(message):
    return Message.objects.get(id=message.id).outcome


@pytest.fixture
def reader():
    reader = Reader()
    reader.start()
    yield reader
    reader.stop()


def test_events_are_read_while_the_thread_runs(reader):
    message = MessageFactory(status=Status.SENT, sent_at=Now())
    store(message, "delivered")
    eventually(lambda: outcome(message) == Outcome.DELIVERED)
    assert reader.trouble == ""


def test_reading_costs_one_statement_while_no_event_is_due(django_assert_num_queries):
    with django_assert_num_queries(1):
        assert not apply.read_due()


def test_relay_publishes_during_slow_reading(monkeypatch):
    """A locked table, a slow disk or a large batch must delay only the reading."""
    held, released = threading.Event(), threading.Event()
    real = apply.write_results

    def slow(events):
        held.set()
        assert released.wait(60)
        real(events)

    monkeypatch.setattr(apply, "write_results", slow)
    reported = MessageFactory(status=Status.SENT, sent_at=Now())
    store(reported, "bounced", bounce="hard")
    MessageFactory()
    reader = Reader()
    reader.start()
    try:
        assert held.wait(60)
        assert relay.run_once().published == {Stream.DEFAULT: 1}
        assert outcome(reported) == Outcome.UNKNOWN
    finally:
        released.set()
        eventually(lambda: outcome(reported) == Outcome.BOUNCED)
        reader.stop()


def test_failed_database_is_retried(monkeypatch):
    message = MessageFactory(status=Status.SENT, sent_at=Now())
    store(message, "delivered")
    reader = Reader()
    with monkeypatch.context() as patched:
        patched.setattr(apply, "write_results", raising(OperationalError("away")))
        assert reader.turn() == PAUSE_S
    reader.turn()
    assert outcome(message) == Outcome.DELIVERED


def raising(error, only_with=None):
    real = apply.write_results

    def write_results(events):
        if only_with is None or any(event.event_id == only_with for event in events):
            raise error
        real(events)

    return write_results


def test_event_that_the_database_rejects_is_set_aside(monkeypatch):
    messages = MessageFactory.create_batch(9, status=Status.SENT, sent_at=Now())
    ids = [store(message, "delivered") for message in messages]
    monkeypatch.setattr(apply, "write_results", raising(DataError("odd"), only_with=ids[4]))
    reader = Reader()
    rounds = 0
    while ProviderEvent.objects.filter(state="stored").exists():
        reader.turn()
        rounds += 1
        assert rounds < 50
    assert ProviderEvent.objects.get(state="unreadable").event_id == ids[4]
    assert [outcome(message) for message in messages].count(Outcome.DELIVERED) == 8


def test_ended_thread_is_reported():
    reader = Reader()
    reader.start()
    assert "ended" not in reader.trouble
    reader.stop()
    assert "ended" in reader.trouble
    connection.close()
