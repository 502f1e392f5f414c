"""A worker sends the events of its tasks together."""

import pytest
from kombu.asynchronous import Hub

from notifications.runtime import consumer
from notifications.runtime.consumer import PersistentConsumer


class Dispatcher:
    def __init__(self):
        self.flushed = 0

    def flush(self):
        self.flushed += 1


@pytest.fixture
def buffering(monkeypatch):
    """A consumer in a loop that runs when the test says so."""
    monkeypatch.setattr(consumer, "EVENTS_S", 0.01)
    made = PersistentConsumer.__new__(PersistentConsumer)
    made.hub, made.event_dispatcher = Hub(), Dispatcher()
    yield made
    made.hub.close()


def run_until_flushed(buffering, times):
    buffering.hub.call_repeatedly(0.01, lambda: None)
    while buffering.event_dispatcher.flushed < times:
        buffering.hub.run_once()


def test_events_are_sent_after_a_lost_connection_has_ended_the_loop(buffering, monkeypatch):
    monkeypatch.setattr(consumer.Consumer, "on_connection_error_after_connected", lambda self, error: None)
    monkeypatch.setattr(consumer, "PAUSE_S", 0)
    buffering.on_send_event_buffered()
    # What the loop was going to call is lost with it.
    buffering.hub.reset()
    buffering.on_connection_error_after_connected(OSError())
    buffering.on_send_event_buffered()
    run_until_flushed(buffering, 1)


def test_events_are_sent_together_and_soon(buffering):
    for _ in range(3):
        buffering.on_send_event_buffered()
    buffering.hub.run_once()
    assert buffering.event_dispatcher.flushed == 0
    run_until_flushed(buffering, 1)
    buffering.on_send_event_buffered()
    run_until_flushed(buffering, 2)
    assert buffering.event_dispatcher.flushed == 2
