"""Of a process's batches, one at a time is prepared, and others are sent meanwhile."""

import threading
from itertools import chain, repeat

import pytest
from django.db import connection

from notifications.delivery import deliver as delivering
from notifications.delivery import turn as turns
from notifications.delivery.batch import split
from notifications.delivery.run import REQUEUED
from notifications.delivery.turn import Turn
from notifications.providers.base.sending import Accepted
from notifications.rules.states import Stream
from tests.accounts.racing import PATIENCE_S, together
from tests.factories import MessageFactory
from tests.notifications.delivery.delivering import run

# Long enough for a thread that is not held back to arrive.
SOON_S = 0.5


def test_a_turn_can_end_early_and_twice():
    turn, other = Turn(), Turn()
    with turn:
        turn.end()
        with other:
            turn.end()
    with turn:
        pass


def test_an_error_ends_the_turn():
    with pytest.raises(ZeroDivisionError), Turn():
        raise ZeroDivisionError
    with Turn():
        pass


def test_a_waiting_thread_holds_no_connection(monkeypatch):
    dropped, begun = threading.Event(), threading.Event()
    monkeypatch.setattr(turns, "drop_connection", dropped.set)

    def wait():
        with Turn():
            begun.set()

    with Turn():
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert dropped.wait(PATIENCE_S)
        assert not begun.is_set()
    waiting.join(PATIENCE_S)
    assert begun.is_set()


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey")
def test_a_worker_that_stops_prepares_nothing_more(batching):
    stopping = chain([False], repeat(True))
    messages = MessageFactory.create_batch(3, stream=Stream.BULK)
    report = run(*messages, stream=Stream.BULK, stopping=lambda: next(stopping))
    assert report.counts == {REQUEUED: 3}
    assert batching.batches == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey")
def test_batches_are_prepared_one_after_another_and_sent_together(batching, monkeypatch):
    second, preparing, most = threading.Event(), [], []

    def noted(*args):
        preparing.append(1)
        most.append(len(preparing))
        if len(preparing) == 2:
            second.set()
        second.wait(SOON_S)
        try:
            return split(*args)
        finally:
            preparing.pop()

    both_are_called = threading.Barrier(2, timeout=PATIENCE_S)

    def answer_to(email):
        both_are_called.wait()
        return Accepted(f"scripted-{email.message_id}")

    monkeypatch.setattr(delivering, "split", noted)
    batching.answer_to = answer_to
    messages = [MessageFactory.create_batch(2, stream=Stream.BULK) for _ in range(2)]
    reports = together([lambda some=some: run(*some, stream=Stream.BULK) for some in messages])
    connection.close()
    assert [report.counts for report in reports] == [{"sent": 2}] * 2
    assert most == [1, 1]
