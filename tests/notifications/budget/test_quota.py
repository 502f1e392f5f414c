"""The account's quota, and how throttling lowers the rate."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from notifications.budget import fallback, quota, terms
from notifications.budget.grants import reserve, throttle
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.models import DeliveryAttempt, ProviderQuota
from notifications.providers.base.account import Quota
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Stream
from notifications.runtime.redis_client import client
from tests.factories import MessageFactory
from tests.notifications.budget.budgets import counted, drain, let_pass, rates_of, state
from tests.scripted import ScriptedAccount
from tests.simulated import simulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("still")]


def refresh_with(per_second=None, per_day=None, sent_today=0):
    said = Quota(per_second=per_second, per_day=per_day, sent_today=sent_today)
    return quota.refresh("ses", ScriptedAccount(quota=said))


def per_second():
    return rates_of(Stream.CRITICAL, steps=40)[Stream.CRITICAL]


@pytest.fixture(autouse=True)
def hundred_per_second(settings, valkey):
    settings.EMAIL_RATE, settings.EMAIL_STREAM_RATES, settings.EMAIL_DAILY = "ses=100", "", ""
    # The first call after a wipe rebuilds the daily count, which is done here.
    reserve("ses", Stream.BULK, 0)


@pytest.mark.parametrize(
    ("account", "share", "rate"), [(50, 0.8, 40), (50, 0.5, 25), (1000, 0.8, 100), (None, 0.8, 100), (0, 0.8, 0.1)]
)
def test_rate_is_the_lower_of_the_setting_and_the_share_of_the_account(settings, account, share, rate):
    settings.EMAIL_QUOTA_SHARE = share
    refresh_with(per_second=account)
    assert per_second() == pytest.approx(rate, rel=0.1, abs=0.3)


def test_account_alone_decides_without_a_configured_rate(settings):
    settings.EMAIL_RATE = ""
    refresh_with(per_second=50)
    assert per_second() == pytest.approx(40, rel=0.1)


def test_last_answer_is_valid_for_a_day():
    refresh_with(per_second=50, per_day=20)
    assert quota.refresh("ses", ScriptedAccount(quota=ProviderError(ErrorClass.TRANSIENT, "gone"))) is None
    assert quota.refresh("ses", ScriptedAccount(quota=None)) is None
    let_pass("ses", quota.VALID_FOR_S - 30)
    assert drain(Stream.CRITICAL) == 20
    let_pass("ses", 31)
    assert per_second() == pytest.approx(100, rel=0.1)


def test_account_without_a_limit_removes_the_last_one():
    refresh_with(per_day=20)
    refresh_with()
    assert drain(Stream.CRITICAL) > 20


def test_daily_limit_is_the_lower_of_account_and_setting(settings):
    settings.EMAIL_DAILY = "ses=15"
    refresh_with(per_day=20)
    assert drain(Stream.CRITICAL) == 15


def test_messages_of_other_applications_count():
    refresh_with(per_day=50, sent_today=20)
    assert drain(Stream.CRITICAL) == 30


def test_our_messages_count_once():
    message = MessageFactory()
    for number in range(1, 6):
        DeliveryAttempt.objects.create(message=message, number=number, provider="ses", result="accepted")
    client().flushdb()
    refresh_with(per_day=50, sent_today=20)
    assert (counted("ses"), state("ses", "others")) == (5, 15)
    assert drain(Stream.CRITICAL) == 30
    refresh_with(per_day=50, sent_today=20)
    assert state("ses", "others") == 0


def test_throttling_lowers_the_rate_at_most_once_per_second():
    for _ in range(8):
        throttle("ses")
    assert state("ses", "factor") == pytest.approx(0.7)
    let_pass("ses", 1.1)
    throttle("ses")
    assert state("ses", "factor") == pytest.approx(0.49, abs=0.01)


def test_throttling_keeps_a_tenth_of_the_rate():
    for _ in range(12):
        throttle("ses")
        let_pass("ses", 1.1)
    assert state("ses", "factor") == pytest.approx(0.1, abs=0.001)
    assert per_second() == pytest.approx(10, abs=1.5)


@pytest.mark.parametrize(("minutes", "rate"), [(0, 70), (1, 75), (4, 90), (6, 100), (60, 100)])
def test_rate_recovers_by_a_twentieth_per_minute(minutes, rate):
    throttle("ses")
    let_pass("ses", minutes * 60)
    reserve("ses", Stream.CRITICAL, 1)
    assert fallback.rate_seen("ses") == pytest.approx(rate, rel=0.01)


def test_rate_throttled_again_drops_from_its_current_value():
    throttle("ses")
    let_pass("ses", 120)
    throttle("ses")
    assert state("ses", "factor") == pytest.approx(0.8 * 0.7, abs=0.001)


def test_provider_that_asks_for_a_pause_gets_nothing_meanwhile():
    throttle("ses", retry_after_s=60)
    grants = [reserve("ses", stream, 2) for stream in Stream]
    assert [grant.count for grant in grants] == [0, 0, 0]
    assert all(59 < grant.waits_s[0] < 61 for grant in grants)
    assert reserve("sendgrid", Stream.BULK, 1).count == 1
    let_pass("ses", 61)
    assert reserve("ses", Stream.BULK, 1).count == 1


def test_pause_is_bounded_and_a_shorter_one_does_not_end_it():
    throttle("ses", retry_after_s=86_400)
    throttle("ses", retry_after_s=1)
    wait_s = reserve("ses", Stream.CRITICAL, 1).waits_s[0]
    assert terms.LONGEST_PAUSE_S - 2 < wait_s < terms.LONGEST_PAUSE_S + 1


def test_rate_limited_answer_lowers_the_rate(provider):
    provider.script.append(ProviderError(ErrorClass.RATE_LIMITED, "429", retry_after_s=120))
    messages = [MessageFactory() for _ in range(3)]
    report = deliver([message.id for message in messages], Stream.DEFAULT, Carrier(task_id="", worker=""))
    assert str(report) == "1 rate-limited, 2 deferred"
    assert state("scripted", "factor") == pytest.approx(0.7)
    assert sorted(type(messages[0]).objects.values_list("attempts", flat=True)) == [0, 0, 1]


def test_other_refusals_do_not_lower_the_rate(provider):
    provider.script.append(ErrorClass.TRANSIENT)
    deliver([MessageFactory().id], Stream.DEFAULT, Carrier(task_id="", worker=""))
    assert state("scripted", "factor") is None


def test_accounts_of_configured_providers_are_asked(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    settings.EMAIL_PROVIDERS, settings.SES_REGION = ["smtp", "ses"], "eu-central-1"
    with simulator(tmp_path) as server:
        server.set_controls("ses", quota_per_second=20, quota_per_day=1000)
        settings.SES_ENDPOINT_URL = server.url
        assert quota.refresh_all() == 1
    assert state("ses", "quota_rate") == pytest.approx(16)
    assert state("ses", "quota_day") == 1000
    assert quota.refresh_all() == 0
    assert state("ses", "quota_rate") == pytest.approx(16)


def test_last_quota_is_restored_after_a_wipe():
    refresh_with(per_second=50, per_day=200, sent_today=195)
    client().flushdb()
    assert drain(Stream.CRITICAL) == 5
    assert state("ses", "quota_rate") == pytest.approx(40)
    client().flushdb()
    ProviderQuota.objects.update(read_at=Now() - timedelta(days=2))
    assert drain(Stream.CRITICAL) > 5


@pytest.mark.parametrize("is_throttled", [True, False])
def test_clock_set_back_by_an_hour_neither_stops_nor_floods(is_throttled):
    if is_throttled:
        throttle("ses")
    assert drain(Stream.CRITICAL) > 20
    # A time of the earlier clock is an hour ahead of the clock now.
    let_pass("ses", -3600)
    grant = reserve("ses", Stream.CRITICAL, 1000)
    assert grant.count < 100
    # Not for the whole hour.
    assert grant.waits_s[0] <= terms.LONGEST_WAIT_S + 1
    assert per_second() == pytest.approx(70 if is_throttled else 100, rel=0.1)
