"""The usage of the budget, compared with what the budget does."""

import pytest
from django.test import override_settings

from notifications.budget.grants import reserve, throttle
from notifications.budget.quota import refresh
from notifications.budget.usage import Usage, usage_of, usages
from notifications.providers.base.account import Quota
from notifications.rules.states import Stream
from notifications.runtime.redis_client import reset
from tests.scripted import ScriptedAccount

HOUR_US = 3_600_000_000
NOW_US = 500_000 * HOUR_US
ACCOUNT = {"quota_until": NOW_US + 1, "quota_rate": 40.0, "quota_day": 500.0, "others": 7.0}


@pytest.mark.parametrize(
    ("state", "day", "terms", "expected"),
    [
        ({}, {}, {}, Usage(rate=100, throttled=1, used=0, daily=None)),
        ({}, {}, {"rate": 10_000.0}, Usage(rate=None, throttled=1, used=0, daily=None)),
        (ACCOUNT, {}, {}, Usage(rate=40, throttled=1, used=7, daily=500)),
        (ACCOUNT, {}, {"daily": 300}, Usage(rate=40, throttled=1, used=7, daily=300)),
        ({**ACCOUNT, "quota_until": NOW_US}, {}, {}, Usage(rate=100, throttled=1, used=0, daily=None)),
        # Of 25 hours; older ones are over.
        ({}, {"500000": 1, "499976": 2, "499975": 4}, {"daily": 9}, Usage(rate=100, throttled=1, used=3, daily=9)),
        ({"factor": 0.5, "factor_at": NOW_US}, {}, {}, Usage(rate=50, throttled=0.5, used=0, daily=None)),
        ({"factor": 0.5, "factor_at": NOW_US - 4 * 60e6}, {}, {}, Usage(rate=70, throttled=0.7, used=0, daily=None)),
        ({"factor": 0.5, "factor_at": NOW_US + 1e9}, {}, {}, Usage(rate=50, throttled=0.5, used=0, daily=None)),
        ({"factor": 0.5, "factor_at": 0}, {}, {}, Usage(rate=100, throttled=1, used=0, daily=None)),
    ],
)
def test_usage(state, day, terms, expected):
    assert usage_of(state, day, NOW_US, **{"rate": 100.0, "daily": None, **terms}) == expected


@pytest.mark.django_db
@pytest.mark.usefixtures("still")
def test_usage_is_what_the_budget_counts(settings):
    settings.EMAIL_RATE, settings.EMAIL_DAILY = "ses=100", "ses=1000"
    reserve("ses", Stream.BULK, 0)
    assert usages(["ses"]) == {"ses": Usage(rate=100, throttled=1, used=0, daily=1000)}
    refresh("ses", ScriptedAccount(quota=Quota(per_second=50, per_day=800, sent_today=30)))
    assert reserve("ses", Stream.CRITICAL, 5).count == 5
    rate = 50 * settings.EMAIL_QUOTA_SHARE
    assert usages(["ses"]) == {"ses": Usage(rate=rate, throttled=1, used=35, daily=800)}
    throttle("ses")
    # It recovers with time.
    assert 0.7 <= usages(["ses"])["ses"].throttled < 1


@pytest.mark.usefixtures("valkey")
def test_usage_is_unknown_without_redis():
    reset()
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        assert usages(["ses"]) == {}
    reset()
