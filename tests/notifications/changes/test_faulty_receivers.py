"""Whatever a receiver of `message_changed` does, it delays no other change."""

import asyncio
import logging
import threading

import pytest
from django.db import connection
from django.db.models.functions import Now

from notifications.changes import dispatch as module
from notifications.changes.dispatch import MOST_TRIES, dispatch
from notifications.models import Message, PendingChange
from tests.factories import MessageFactory
from tests.notifications.changes.test_dispatch import expire, in_threads, make_due

pytestmark = pytest.mark.django_db


class Odd(BaseException):
    pass


@pytest.mark.parametrize("error", [SystemExit, asyncio.CancelledError, GeneratorExit, Odd])
@pytest.mark.parametrize("is_asynchronous", [False, True])
def test_nothing_that_a_receiver_raises_stops_the_others(calls, connected, error, is_asynchronous):
    def fail(**values):
        raise error

    async def fail_later(**values):
        raise error

    connected(fail_later if is_asynchronous else fail)
    expire(MessageFactory(), MessageFactory())
    assert dispatch() == len(calls) == 2
    assert all(error.__name__ in row.error for row in PendingChange.objects.all())


def test_change_whose_receiver_never_returned_is_given_up_too(calls, caplog):
    # Each try hung until its process was killed, so no error was recorded.
    message = MessageFactory()
    expire(message)
    PendingChange.objects.update(tries=MOST_TRIES)
    with caplog.at_level(logging.ERROR, module.__name__):
        dispatch()
    assert (calls, PendingChange.objects.exists()) == ([], False)
    assert str(message.id) in caplog.records[-1].getMessage()


@pytest.mark.django_db(transaction=True)
def test_change_is_not_repeated_while_this_process_waits_for_its_receiver(connected):
    hangs, released = threading.Event(), threading.Event()
    got = []

    def receive(message_id, **values):
        got.append(message_id)
        hangs.set()
        assert released.wait(60)

    connected(receive)
    message = MessageFactory()
    expire(message)

    def again():
        assert hangs.wait(60)
        try:
            make_due()
            assert dispatch() == 1
            return PendingChange.objects.get().error
        finally:
            released.set()

    _, error = in_threads(dispatch, again)
    assert error.endswith(module.NOT_RETURNED)
    assert got == [message.id]
    assert not PendingChange.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_receiver_that_leaves_a_transaction_open_has_failed(calls, connected):
    def open_transaction(message_id, **values):
        connection.set_autocommit(False)
        Message.objects.filter(id=message_id).update(context={"is": "lost"})

    connected(open_transaction)
    expire(MessageFactory(), MessageFactory())
    assert dispatch() == len(calls) == 2
    connection.close()
    assert [len(row.handled_by) for row in PendingChange.objects.all()] == [1, 1]
    assert all("TransactionManagementError" in row.error for row in PendingChange.objects.all())
    assert not Message.objects.filter(context={"is": "lost"}).exists()


def test_late_release_leaves_the_next_claim_alone(connected):
    """The first process is slow; meanwhile another claims the rest of its batch, and fails."""
    first, second = MessageFactory(), MessageFactory()
    got = []

    def receive(message_id, **values):
        got.append(message_id)
        if message_id == second.id:
            raise ValueError
        PendingChange.objects.filter(message_id=second.id).update(due_at=Now())
        dispatch()

    connected(receive)
    expire(first, second)
    dispatch(lambda: bool(got))
    left = PendingChange.objects.get()
    assert (left.message_id, left.tries) == (second.id, 2)
    assert dispatch() == 0
