"""The daily limit, counted in Redis and rebuilt from the rows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now

from notifications.budget import day, grants, terms
from notifications.budget.grants import reserve
from notifications.budget.keys import pace_key
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.models import DeliveryAttempt
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Stream
from notifications.runtime.redis_client import client, cooldown
from tests.factories import MessageFactory
from tests.notifications.budget.budgets import counted, given, let_pass

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

Result = DeliveryAttempt.Result


@pytest.fixture(autouse=True)
def ten_a_day(settings):
    settings.EMAIL_RATE, settings.EMAIL_STREAM_RATES, settings.EMAIL_DAILY = "1000", "", "ses=10"


def attempts(count=1, *, result=Result.ACCEPTED, provider="ses", **ago):
    message = MessageFactory()
    first = message.delivery_attempts.count() + 1
    for number in range(first, first + count):
        DeliveryAttempt.objects.create(
            message=message, number=number, provider=provider, result=result, recorded_at=Now() - timedelta(**ago)
        )


def test_bulk_stops_at_four_fifths_of_the_limit_and_others_at_the_limit():
    assert reserve("ses", Stream.BULK, 20).count == 8
    assert reserve("ses", Stream.BULK, 1).count == 0
    assert reserve("ses", Stream.DEFAULT, 1).count == 1
    assert reserve("ses", Stream.CRITICAL, 20).count == 1
    assert counted("ses") == 10


def test_messages_above_the_limit_retry_after_minutes():
    first, last = reserve("ses", Stream.BULK, 10).waits_s
    assert terms.DAY_WAIT_S <= first <= last < terms.DAY_WAIT_S + 1


def test_other_providers_have_no_limit():
    assert reserve("sendgrid", Stream.BULK, 50).count == 50


@pytest.mark.parametrize(("hours_ago", "granted"), [(0, 3), (1, 3), (24, 3), (25, 10)])
def test_messages_older_than_a_day_do_not_count(hours_ago, granted):
    given("ses", 7, hours_ago=hours_ago)
    assert reserve("ses", Stream.CRITICAL, 20).count == granted


@pytest.mark.parametrize(
    ("result", "counts"),
    [
        (Result.ACCEPTED, True),
        (Result.AMBIGUOUS, True),
        (Result.TRANSIENT, False),
        (Result.RATE_LIMITED, False),
        (Result.PERMANENT, False),
        (Result.MISCONFIGURED, False),
    ],
)
def test_wiped_count_is_rebuilt_from_what_the_provider_may_have_counted(result, counts):
    attempts(4, result=result, minutes=1)
    assert reserve("ses", Stream.CRITICAL, 20).count == (6 if counts else 10)


def test_wiped_count_is_rebuilt_from_the_last_24_hours_of_this_provider():
    attempts(1, minutes=1)
    attempts(2, hours=23)
    attempts(3, hours=24, seconds=1)
    attempts(3, provider="sendgrid")
    assert sum(day.sent_by_hour("ses").values()) == 3
    assert reserve("ses", Stream.CRITICAL, 20).count == 7


def test_message_that_is_being_handed_over_counts_when_the_count_is_rebuilt():
    MessageFactory(sending=True, handed_over=True, provider="ses")
    assert reserve("ses", Stream.CRITICAL, 20).count == 9


def test_wipe_is_noticed_immediately():
    reserve("ses", Stream.CRITICAL, 4)
    attempts(4)
    client().flushdb()
    assert reserve("ses", Stream.CRITICAL, 20).count == 6


def test_second_rebuilder_changes_nothing():
    attempts(2)
    day.rebuild("ses")
    reserve("ses", Stream.CRITICAL, 3)
    attempts(3)
    day.rebuild("ses")
    assert counted("ses") == 5


def test_count_continues_without_a_limit(settings):
    reserve("ses", Stream.CRITICAL, 2)
    settings.EMAIL_DAILY = ""
    reserve("ses", Stream.CRITICAL, 5)
    settings.EMAIL_DAILY = "ses=10"
    assert reserve("ses", Stream.CRITICAL, 20).count == 3


def test_released_grants_do_not_count():
    grant = reserve("ses", Stream.CRITICAL, 10)
    grants.release("ses", Stream.CRITICAL, grant, 4)
    assert counted("ses") == 6


def test_message_claimed_by_another_worker_costs_no_budget(provider, settings):
    settings.EMAIL_DAILY = "10"
    messages = [MessageFactory() for _ in range(3)]
    for _ in range(2):
        deliver([message.id for message in messages], Stream.DEFAULT, Carrier(task_id="", worker=""))
    assert counted("scripted") == 3


def test_outage_of_the_database_during_a_rebuild_grants_nothing():
    def away(*args):
        raise OperationalError("away")

    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        reserve("ses", Stream.CRITICAL, 1)
    assert counted("ses") == 0


@pytest.mark.django_db(transaction=True)
def test_many_threads_after_a_wipe_grant_at_most_what_is_left():
    attempts(4)

    def take(_):
        try:
            return sum(reserve("ses", Stream.CRITICAL, 1).count for _ in range(5))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(take, range(6))) == 6


def test_limit_holds_however_much_time_passes_within_the_day():
    granted = 0
    for _ in range(5):
        granted += reserve("ses", Stream.CRITICAL, 3).count
        let_pass("ses", 60)
    assert granted == 10


def test_refused_messages_do_not_count(provider, settings):
    settings.EMAIL_DAILY = "5"
    provider.script.extend(
        [ErrorClass.TRANSIENT, ErrorClass.RATE_LIMITED, ErrorClass.PERMANENT, None, ErrorClass.MISCONFIGURED]
    )
    for message in MessageFactory.create_batch(5):
        deliver([message.id], Stream.DEFAULT, Carrier(task_id="", worker=""))
    assert counted("scripted") == 1


def test_uncertain_messages_count(provider):
    provider.script.append(ErrorClass.AMBIGUOUS)
    deliver([MessageFactory().id], Stream.DEFAULT, Carrier(task_id="", worker=""))
    assert counted("scripted") == 1


def test_release_after_a_wipe_makes_no_negative_count():
    grant = reserve("ses", Stream.CRITICAL, 8)
    client().flushdb()
    reserve("ses", Stream.CRITICAL, 1)
    grants.release("ses", Stream.CRITICAL, grant, 8)
    assert counted("ses") == 0


def test_messages_sent_without_redis_are_counted_afterwards():
    assert reserve("ses", Stream.CRITICAL, 4).count == 4
    cooldown.start()
    assert reserve("ses", Stream.CRITICAL, 20).count == 6
    assert reserve("ses", Stream.CRITICAL, 1).count == 0
    cooldown.clear()
    assert reserve("ses", Stream.CRITICAL, 1).count == 0
    assert counted("ses") == 10


def test_relay_continues_after_a_used_up_day():
    reserve("ses", Stream.CRITICAL, 20)
    assert client().get(pace_key("ses", Stream.CRITICAL)) == b"0.000"
    client().delete("mailroom:day:ses")
    assert reserve("ses", Stream.CRITICAL, 1).count == 1
    assert client().get(pace_key("ses", Stream.CRITICAL)) is None
