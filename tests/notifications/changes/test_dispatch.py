"""Receivers of `message_changed` are called at least once for each change, whatever fails."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from config.environment import BASE_DIR
from notifications.changes import dispatch as module
from notifications.changes.dispatch import FIRST_PAUSE_S, LONGEST_PAUSE_S, MOST_TRIES, dispatch
from notifications.models import Message, PendingChange, transitions
from notifications.rules.changes import MessageChange
from notifications.rules.states import Event, Status
from notifications.signals import message_changed
from tests import forked
from tests.factories import MessageFactory
from tests.live.running import eventually

pytestmark = pytest.mark.django_db


def expire(*messages):
    """Make one change of each message, in their order."""
    for message in messages:
        transitions.apply(Event.EXPIRED, Message.objects.filter(id=message.id))


def make_due():
    PendingChange.objects.update(due_at=Now())


def pause():
    """Return the seconds until the only change is due again."""
    due_in = PendingChange.objects.annotate(pause=F("due_at") - Now()).get().pause
    return due_in.total_seconds()


def test_receiver_gets_each_change_once_and_in_order(calls):
    messages = [MessageFactory(), MessageFactory(user=None, to_address="ada@example.com")]
    expire(*messages)
    at = list(PendingChange.objects.values_list("at", flat=True))
    assert (dispatch(), dispatch()) == (2, 0)
    assert calls == [
        {
            "message_id": message.id,
            "kind": message.kind,
            "key": message.idempotency_key,
            "change": MessageChange.EXPIRED,
            "at": time,
            "user_id": message.user_id,
        }
        for message, time in zip(messages, at, strict=True)
    ]
    assert not PendingChange.objects.exists()


def test_receiver_may_name_the_sender(calls):
    message_changed.disconnect(receiver := message_changed.receivers[-1][1])
    message_changed.connect(receiver, sender=Message, weak=False)
    try:
        expire(MessageFactory())
        dispatch()
    finally:
        message_changed.disconnect(receiver, sender=Message)
    assert len(calls) == 1


def test_many_changes_are_dispatched_in_batches(calls, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 4)
    messages = [MessageFactory() for _ in range(9)]
    expire(*messages)
    assert [dispatch() for _ in range(4)] == [4, 4, 1, 0]
    assert [call["message_id"] for call in calls] == [message.id for message in messages]


def test_batch_costs_two_statements_and_one_for_each_change(calls, django_assert_num_queries):
    expire(MessageFactory(), MessageFactory())
    with django_assert_num_queries(2 + 2):
        dispatch()
    with django_assert_num_queries(1):
        dispatch()


def test_asynchronous_receiver_is_called(connected):
    got = []

    async def receive(change, **values):
        got.append(change)

    connected(receive)
    expire(MessageFactory())
    dispatch()
    assert got == [MessageChange.EXPIRED]


def test_failing_receiver_is_called_again_and_stops_no_other(calls, connected, caplog):
    broken = MessageFactory()
    failing = [broken.id]

    def fail(message_id, **values):
        if message_id in failing:
            raise ZeroDivisionError

    connected(fail)
    expire(broken, MessageFactory())
    with caplog.at_level(logging.ERROR, module.__name__):
        dispatch()
    assert len(calls) == 2
    assert str(broken.id) in caplog.text
    left = PendingChange.objects.get()
    assert (left.message_id, left.tries) == (broken.id, 1)
    assert left.error.endswith("ZeroDivisionError")
    assert dispatch() == 0
    failing.clear()
    make_due()
    dispatch()
    # The other receiver is not called again.
    assert len(calls) == 2
    assert not PendingChange.objects.exists()


def test_pauses_grow_to_an_hour(connected):
    def fail(**values):
        raise ValueError

    connected(fail)
    expire(MessageFactory())
    pauses = []
    for _ in range(9):
        dispatch()
        pauses.append(pause())
        make_due()
    expected = [min(FIRST_PAUSE_S * 2**tries, LONGEST_PAUSE_S) for tries in range(9)]
    # The time that the test itself takes is missing.
    assert all(wanted - 25 < found <= wanted for found, wanted in zip(pauses, expected, strict=True))
    assert expected[-1] == LONGEST_PAUSE_S


def test_change_is_given_up_after_a_week(connected, caplog):
    def fail(**values):
        raise ValueError

    connected(fail)
    message = MessageFactory()
    expire(message)
    PendingChange.objects.update(tries=MOST_TRIES - 1)
    with caplog.at_level(logging.ERROR, module.__name__):
        dispatch()
    assert not PendingChange.objects.exists()
    assert str(message.id) in caplog.records[-1].getMessage()


def test_two_receivers_of_one_name_are_distinguished(connected):
    got = []

    def make(number):
        def receive(**values):
            got.append(number)
            if number == 2 and got.count(2) == 1:
                raise ValueError

        return receive

    for number in (1, 2):
        connected(make(number))
    expire(MessageFactory())
    dispatch()
    make_due()
    dispatch()
    assert got == [1, 2, 2]


def test_anonymized_message_has_no_key_and_a_deleted_one_is_not_reported(calls):
    anonymized, deleted = MessageFactory(), MessageFactory()
    expire(anonymized, deleted)
    Message.objects.filter(id=anonymized.id).update(anonymized_at=Now(), to_address="", idempotency_key="anonymized:1")
    Message.objects.filter(id=deleted.id).delete()
    dispatch()
    assert [(call["message_id"], call["key"]) for call in calls] == [(anonymized.id, "")]
    assert not PendingChange.objects.exists()


def test_stopping_leaves_the_rest_to_the_next_process(calls):
    expire(*(MessageFactory() for _ in range(3)))
    dispatch(lambda: len(calls) == 1)
    assert len(calls) == 1
    assert list(PendingChange.objects.values_list("tries", flat=True)) == [0, 0]
    dispatch()
    assert len(calls) == 3


def in_threads(*acts):
    def act_and_close(act):
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(60) for future in [pool.submit(act_and_close, act) for act in acts]]


@pytest.mark.django_db(transaction=True)
def test_concurrent_dispatchers_share_the_changes(calls, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 5)
    messages = [MessageFactory() for _ in range(60)]
    expire(*messages)

    def drain():
        while dispatch():
            pass

    in_threads(drain, drain, drain)
    assert Counter(call["message_id"] for call in calls) == {message.id: 1 for message in messages}


@pytest.mark.django_db(transaction=True)
def test_receiver_that_hangs_keeps_no_other_dispatcher_from_its_work(connected, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 1)
    first, *others = messages = [MessageFactory() for _ in range(3)]
    hangs, others_done = threading.Event(), threading.Event()
    got = []

    def receive(message_id, **values):
        if message_id == first.id:
            hangs.set()
            assert others_done.wait(60)
        got.append(message_id)

    connected(receive)
    expire(*messages)

    def other():
        assert hangs.wait(60)
        while dispatch():
            pass
        others_done.set()

    in_threads(dispatch, other)
    assert got == [*(message.id for message in others), first.id]
    assert not PendingChange.objects.exists()


DYING = ("-m", "tests.notifications.changes.dying")


def environment():
    """Return the environment of a process that uses this test's database."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
    return {**os.environ, "DATABASE_URL": database, "MAILROOM_ROLE": "relay"}


@pytest.mark.usefixtures("calls", "valkey")
@pytest.mark.django_db(transaction=True)
def test_relay_calls_the_receivers_also_for_changes_before_its_start():
    before, after = messages = [MessageFactory(), MessageFactory()]
    expire(before)
    command = [sys.executable, *DYING, "relay"]
    with subprocess.Popen(command, cwd=BASE_DIR, env=environment(), stderr=subprocess.PIPE) as relay:
        eventually(lambda: not PendingChange.objects.exists(), within_s=110)
        expire(after)
        eventually(lambda: not PendingChange.objects.exists())
        relay.terminate()
        _, errors = relay.communicate(timeout=110)
    assert relay.returncode == 0, errors
    expected = {"change": MessageChange.EXPIRED}
    assert [Message.objects.get(id=message.id).context for message in messages] == [expected, expected]


@pytest.mark.django_db(transaction=True)
def test_change_outlives_a_process_that_is_killed_before_and_during_a_call(calls):
    message = MessageFactory(sending=True)
    for point in ("changed", "called"):
        died = forked.run(*DYING, point, str(message.id), folder=BASE_DIR, environment=environment())
        assert died.returncode == -signal.SIGKILL, died.stderr
    assert Message.objects.get().status == Status.EXPIRED
    # The second process has postponed it, and did not finish.
    assert (PendingChange.objects.get().tries, dispatch(), calls) == (1, 0, [])
    make_due()
    dispatch()
    assert [call["message_id"] for call in calls] == [message.id]
