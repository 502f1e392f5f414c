"""What an email costs in round trips to the database and to Redis: counted, never timed."""

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.breaker import permits
from notifications.rules.states import Stream
from tests.factories import MessageFactory
from tests.notifications.delivery.delivering import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "reporting")]

# Claim, facts, hand-over, record.
STATEMENTS = 4
# The budget.
ROUND_TRIPS = 1


@pytest.fixture(autouse=True)
def _healthy_provider(monkeypatch):
    """Trust the circuit that was read last for the whole test: it is read once per CACHE_S, not per email."""
    monkeypatch.setattr(permits, "CACHE_S", 3600.0)


@pytest.fixture
def round_trips(monkeypatch):
    sent = []
    send = redis.Connection.send_packed_command

    def counted(self, command, check_health=True):
        sent.append(command)
        return send(self, command, check_health=check_health)

    monkeypatch.setattr(redis.Connection, "send_packed_command", counted)
    return sent


@pytest.mark.parametrize(
    ("stream", "count", "groups"),
    [(Stream.CRITICAL, 1, 1), (Stream.DEFAULT, 1, 1), (Stream.DEFAULT, 10, 1), (Stream.DEFAULT, 20, 2)],
)
def test_group_costs_as_much_as_one_email(provider, round_trips, stream, count, groups):
    # Connects to Redis, and measures how fast the provider is.
    run(MessageFactory(stream=stream), stream=stream)
    messages = MessageFactory.create_batch(count, stream=stream)
    round_trips.clear()
    with CaptureQueriesContext(connection) as statements:
        report = run(*messages, stream=stream)
    assert report.counts == {"sent": count}
    assert [len(statements), len(round_trips)] == [STATEMENTS * groups, ROUND_TRIPS * groups]


def test_message_that_a_user_waits_for_is_handed_over_alone(provider, round_trips):
    run(MessageFactory(stream=Stream.CRITICAL), stream=Stream.CRITICAL)
    messages = MessageFactory.create_batch(5, stream=Stream.CRITICAL)
    round_trips.clear()
    with CaptureQueriesContext(connection) as statements:
        run(*messages, stream=Stream.CRITICAL)
    assert [len(statements), len(round_trips)] == [2 + 2 * len(messages), ROUND_TRIPS]
