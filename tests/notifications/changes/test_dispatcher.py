"""The relay's thread that calls the receivers of `message_changed`."""

import threading

import pytest
from django.db import OperationalError

from notifications.changes import dispatch as dispatch_module
from notifications.changes import dispatcher as module
from notifications.changes.dispatcher import Dispatcher
from notifications.models import PendingChange
from notifications.runtime.troubles import DISPATCHER_ENDED
from tests.factories import MessageFactory
from tests.live.running import eventually
from tests.notifications.changes.test_dispatch import expire

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dispatcher():
    dispatcher = Dispatcher()
    yield dispatcher
    dispatcher.stop()


def test_changes_are_dispatched_while_the_thread_runs(calls, dispatcher):
    dispatcher.start()
    expire(MessageFactory())
    eventually(lambda: not PendingChange.objects.exists())
    assert len(calls) == 1
    assert dispatcher.trouble == ""


@pytest.mark.parametrize("error", [OperationalError("away"), ValueError("unexpected")])
def test_thread_survives_an_error_and_reports_it(calls, dispatcher, monkeypatch, error):
    failed, works = threading.Event(), threading.Event()
    real = module.dispatch

    def fail(stopping):
        if works.is_set():
            return real(stopping)
        failed.set()
        raise error

    monkeypatch.setattr(module, "dispatch", fail)
    dispatcher.start()
    assert failed.wait(60)
    eventually(lambda: dispatcher.trouble)
    works.set()
    expire(MessageFactory())
    eventually(lambda: not PendingChange.objects.exists() and dispatcher.trouble == "")


def test_receiver_that_does_not_return_delays_only_its_change(connected, dispatcher, monkeypatch):
    monkeypatch.setattr(module._Thread, "slow_after_s", 0.0)
    hangs, released = threading.Event(), threading.Event()
    stuck, *others = messages = [MessageFactory() for _ in range(3)]
    got = []

    def receive(message_id, **values):
        if message_id == stuck.id:
            hangs.set()
            assert released.wait(60)
        got.append(message_id)

    connected(receive)
    dispatcher.start()
    expire(stuck)
    try:
        assert hangs.wait(60)
        dispatcher.leave_slow()
        monkeypatch.setattr(module._Thread, "slow_after_s", 60.0)
        expire(*others)
        eventually(lambda: len(got) == len(others))
        assert got == [message.id for message in others]
        monkeypatch.setattr(module._Thread, "slow_after_s", 0.0)
        assert "message_changed" in dispatcher.trouble
        monkeypatch.setattr(module._Thread, "slow_after_s", 60.0)
    finally:
        released.set()
    eventually(lambda: not PendingChange.objects.exists())
    assert sorted(got) == sorted(message.id for message in messages)
    eventually(lambda: dispatcher.leave_slow() or dispatcher.trouble == "")


def test_threads_are_limited(connected, dispatcher, monkeypatch):
    monkeypatch.setattr(module._Thread, "slow_after_s", 0.0)
    released, calls = threading.Event(), []

    def receive(message_id, **values):
        calls.append(message_id)
        assert released.wait(60)

    connected(receive)
    expire(*(MessageFactory() for _ in range(module.MOST_THREADS + 2)))
    monkeypatch.setattr(dispatch_module, "BATCH", 1)
    dispatcher.start()
    try:
        for count in range(1, module.MOST_THREADS + 1):
            eventually(lambda: len(calls) == count)  # noqa: B023 - called within the round
            dispatcher.leave_slow()
        assert len(dispatcher._threads) == module.MOST_THREADS
    finally:
        released.set()
    monkeypatch.setattr(module._Thread, "slow_after_s", 60.0)
    eventually(lambda: not PendingChange.objects.exists())


def test_thread_that_has_ended_is_a_trouble(dispatcher):
    dispatcher.start()
    dispatcher.stop()
    assert dispatcher.trouble == DISPATCHER_ENDED
