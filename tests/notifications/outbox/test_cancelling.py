"""Queued messages are counted and cancelled by filter."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from notifications.models import Message
from notifications.outbox import cancelling
from notifications.outbox.cancel import CANCELLED_BY
from notifications.outbox.cancelling import Count, QueuedFilter, cancel_matching, count
from notifications.outbox.scheduled import next_scheduled
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db

EVERYTHING = QueuedFilter(since=datetime(2000, 1, 1, tzinfo=UTC))
MATCHES = {
    "stream": ({"stream": Stream.BULK}, {"stream": "bulk"}, {"stream": "default"}),
    "kind": ({"kind": "welcome"}, {"kind": "welcome"}, {"kind": "password-reset"}),
    "domain": ({"to_address": "a@shop.example"}, {"domain": "Shop.example"}, {"domain": "hop.example"}),
    "since": ({}, {"since": Now() - timedelta(hours=1)}, {"since": Now() + timedelta(hours=1)}),
    "until": ({}, {"until": Now() + timedelta(hours=1)}, {"until": Now() - timedelta(hours=1)}),
    "scheduled": ({"due_at": Now() + timedelta(hours=1)}, {"is_scheduled": True}, {"is_scheduled": True, "kind": "x"}),
    "both": ({}, {"kind": "welcome", "stream": "default"}, {"kind": "welcome", "stream": "bulk"}),
}


@pytest.mark.parametrize("name", MATCHES)
def test_filter_matches(name):
    message, fits, differs = MATCHES[name]
    MessageFactory(**message)
    assert count(QueuedFilter(**fits)) == Count(1)
    assert count(QueuedFilter(**differs)) == Count(0)
    assert cancel_matching(QueuedFilter(**differs), who="Ada", why="x") == Count(0)
    assert cancel_matching(QueuedFilter(**fits), who="Ada", why="x") == Count(1)


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_all_pages_are_read(monkeypatch, page):
    monkeypatch.setattr(cancelling, "PAGE", page)
    monkeypatch.setattr(cancelling, "BATCH", 2)
    for stream in Stream:
        MessageFactory.create_batch(5, stream=stream)
    # Many have the same relay time.
    Message.objects.filter(stream=Stream.BULK).update(relay_after=Now())
    assert count(EVERYTHING) == Count(15)
    assert cancel_matching(EVERYTHING, who="Ada", why="wrong text") == Count(15)
    reason = CANCELLED_BY.format(who="Ada", why="wrong text")
    assert set(Message.objects.values_list("status", "status_reason")) == {(Status.CANCELLED, reason)}


def test_only_queued_messages_are_cancelled():
    MessageFactory(sending=True)
    MessageFactory(uncertain=True)
    MessageFactory(status=Status.DEAD)
    assert count(EVERYTHING) == Count(0)
    assert cancel_matching(EVERYTHING, who="Ada", why="x") == Count(0)


def test_count_stops_at_a_limit(monkeypatch):
    monkeypatch.setattr(cancelling, "PAGE", 2)
    monkeypatch.setattr(cancelling, "MOST_COUNTED", 3)
    MessageFactory.create_batch(6)
    assert count(EVERYTHING) == Count(3, is_more=True)
    monkeypatch.setattr(cancelling, "MOST_READ", 2)
    assert count(QueuedFilter(kind="password-reset")) == Count(0, is_more=True)


def test_cancelling_stops_when_its_time_is_over(monkeypatch):
    monkeypatch.setattr(cancelling, "BATCH", 2)
    MessageFactory.create_batch(5)
    assert cancel_matching(EVERYTHING, who="Ada", why="x", longest_s=0.0) == Count(2, is_more=True)


def test_search_for_few_among_many_stops_when_its_time_is_over(monkeypatch):
    monkeypatch.setattr(cancelling, "PAGE", 2)
    MessageFactory.create_batch(5)
    rare = QueuedFilter(kind="password-reset")
    assert cancel_matching(rare, who="Ada", why="x", longest_s=0.0) == Count(0, is_more=True)
    assert cancel_matching(rare, who="Ada", why="x") == Count(0)


def test_next_scheduled_are_listed_soonest_first():
    in_hours = {}
    for hours, stream in ((3, "bulk"), (1, "critical"), (2, "bulk")):
        at = Now() + timedelta(hours=hours)
        in_hours[hours] = MessageFactory(stream=stream, due_at=at, relay_after=at)
    later = {"due_at": Now() + timedelta(hours=1), "relay_after": Now() + timedelta(hours=1)}
    MessageFactory()
    MessageFactory(attempts=1, **later)
    MessageFactory(slowed_until=Now() + timedelta(hours=1), **later)
    assert next_scheduled(10) == [in_hours[1], in_hours[2], in_hours[3]]
    assert next_scheduled(2) == [in_hours[1], in_hours[2]]
    assert count(QueuedFilter(is_scheduled=True)) == Count(3)


def test_held_message_leaves_the_queue_of_the_bounce_brake():
    later = Now() + timedelta(hours=1)
    MessageFactory(slowed_until=later, due_at=later, relay_after=later, slowed_for="x")
    assert cancel_matching(EVERYTHING, who="Ada", why="x") == Count(1)
    assert Message.objects.get().slowed_until is None


@pytest.mark.django_db(transaction=True)
def test_row_that_another_transaction_holds_is_skipped():
    message = MessageFactory()

    def cancel():
        try:
            return cancel_matching(EVERYTHING, who="Ada", why="x")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other, transaction.atomic():
        Message.objects.select_for_update().get(id=message.id)
        assert other.submit(cancel).result() == Count(0)
