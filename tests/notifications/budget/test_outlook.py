"""How long the budget holds a stream back, read without taking from it."""

import pytest

from notifications.budget.grants import reserve, throttle
from notifications.budget.keys import state_key
from notifications.budget.outlook import BudgetOutlook, budget_outlook, day_wait_s
from notifications.rules.states import Stream
from notifications.runtime.redis_client import client
from tests.notifications.budget.budgets import drain, given

HOUR = 500_000
NOW_S = HOUR * 3600 + 600


@pytest.mark.parametrize(
    ("by_hour", "allowed", "expected"),
    [
        ({}, 1, 0),
        ({HOUR: 5}, 6, 0),
        # The current hour counts for 25 hours from its beginning.
        ({HOUR: 5}, 5, 25 * 3600 - 600),
        ({HOUR: 5, HOUR - 3: 1}, 6, 22 * 3600 - 600),
        ({HOUR: 5, HOUR - 3: 1}, 5, 25 * 3600 - 600),
        ({HOUR - 24: 9}, 5, 3600 - 600),
        ({HOUR - 25: 9}, 5, 0),
        ({HOUR: 5}, 0, None),
    ],
)
def test_daily_limit_has_room_when_an_hour_no_longer_counts(by_hour, allowed, expected):
    assert day_wait_s(by_hour, NOW_S, allowed) == expected


@pytest.fixture
def limited(valkey, settings):
    settings.EMAIL_RATE, settings.EMAIL_DAILY, settings.EMAIL_STREAM_RATES = "ses=2", "", ""


@pytest.mark.django_db
def test_nothing_is_held_back_at_first(limited):
    assert budget_outlook("ses", Stream.DEFAULT) == BudgetOutlook()


@pytest.mark.django_db
def test_pace_is_that_of_the_stream(limited):
    drain(Stream.DEFAULT)
    assert budget_outlook("ses", Stream.DEFAULT).pace == 2.0
    assert budget_outlook("ses", Stream.BULK).pace is None


@pytest.mark.django_db
def test_pause_of_the_provider_is_seen(limited):
    reserve("ses", Stream.DEFAULT, 1)
    throttle("ses", 300)
    assert 200 < budget_outlook("ses", Stream.CRITICAL).pause_s <= 300


@pytest.mark.django_db
@pytest.mark.parametrize("stream", Stream)
def test_day_is_used_up_when_the_budget_grants_nothing(limited, settings, stream):
    settings.EMAIL_RATE, settings.EMAIL_DAILY = "", "ses=10"
    reserve("ses", stream, 1)
    given("ses", 6, hours_ago=3)
    while budget_outlook("ses", stream).day_s == 0:
        assert reserve("ses", stream, 1).count == 1
    assert reserve("ses", stream, 1).count == 0
    assert 20 * 3600 < budget_outlook("ses", stream).day_s < 23 * 3600


@pytest.mark.django_db
def test_limit_of_the_account_counts_while_it_is_known(limited, settings):
    reserve("ses", Stream.DEFAULT, 1)
    seconds, _ = client().time()
    account = {"quota_day": 5, "others": 4, "quota_until": (seconds + 60) * 1_000_000}
    client().hset(state_key("ses"), mapping=account)
    assert budget_outlook("ses", Stream.DEFAULT).day_s != 0
    client().hset(state_key("ses"), "quota_until", (seconds - 60) * 1_000_000)
    assert budget_outlook("ses", Stream.DEFAULT).day_s == 0
