"""What beat counts for Flower."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from notifications.outbox import waiting as counting
from notifications.rules.states import Status, Stream
from notifications.runtime import waiting
from notifications.runtime.redis_client import client
from notifications.runtime.waiting import Waiting
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

NOTHING = dict.fromkeys(Stream, (0, 0))


def counted(counts):
    return {Stream(each.stream): (each.due, each.later) for each in counts}


def test_counts_what_is_due_and_what_is_due_later_but_not_what_is_published(provider):
    later = Now() + timedelta(hours=1)
    MessageFactory.create_batch(3, stream=Stream.BULK)
    MessageFactory(stream=Stream.BULK, relay_after=later)
    MessageFactory(due_at=later, relay_after=later)
    MessageFactory(status=Status.SENT, sent_at=Now())
    assert counted(counting.count()) == NOTHING | {Stream.BULK: (3, 0), Stream.DEFAULT: (0, 1)}


def test_counting_stops_at_the_limit_and_costs_one_statement(monkeypatch):
    monkeypatch.setattr(waiting, "MOST", 2)
    MessageFactory.create_batch(3, stream=Stream.BULK)
    with CaptureQueriesContext(connection) as statements:
        assert counted(counting.count())[Stream.BULK] == (2, 0)
    assert len(statements) == 1


def test_flower_reads_what_beat_wrote_until_it_is_old():
    assert waiting.read() == []
    counting.publish_counts()
    assert counted(waiting.read()) == NOTHING
    assert 0 < client().ttl(waiting.KEY) <= waiting.SHOWN_FOR_S


def test_count_of_a_newer_release_is_read():
    client().set(waiting.KEY, '[{"stream": "bulk", "due": 1, "later": 2, "paused": 3}]')
    assert waiting.read() == [Waiting(stream="bulk", due=1, later=2)]
