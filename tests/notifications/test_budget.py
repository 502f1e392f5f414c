"""The shared budget on a real Valkey. Its clock is the server's, so these tests let real time pass, a little of it."""

import threading
import time

import pytest
import redis

from notifications.delivery import budget
from notifications.delivery.budget import BudgetUnavailableError, reserve
from notifications.states import Stream

pytestmark = pytest.mark.usefixtures("valkey")


def test_burst_is_granted_and_the_rest_waits_spread_at_the_rate(settings):
    settings.EMAIL_RATE, settings.EMAIL_STREAM_RATES = "10", ""
    grant = reserve("ses", Stream.DEFAULT, 8)
    assert grant.count == 5  # half a second's worth
    first, second, third = grant.waits_s
    assert 0.05 < first <= 0.11
    assert second - first == pytest.approx(0.1, abs=0.01)
    assert third - second == pytest.approx(0.1, abs=0.01)


def test_those_refused_later_wait_longer(settings):
    settings.EMAIL_RATE, settings.EMAIL_STREAM_RATES = "10", ""
    last = reserve("ses", Stream.DEFAULT, 10).waits_s[-1]
    assert reserve("ses", Stream.DEFAULT, 1).waits_s[0] > last


def test_nobody_waits_longer_than_the_bound(settings):
    settings.EMAIL_RATE, settings.EMAIL_STREAM_RATES = "1", ""
    assert reserve("ses", Stream.DEFAULT, 100).waits_s[-1] <= budget.LONGEST_WAIT_S


def test_critical_is_granted_what_bulk_may_not_touch(settings):
    settings.EMAIL_RATE, settings.EMAIL_STREAM_RATES = "10", ""
    while reserve("ses", Stream.BULK, 5).count:
        pass
    assert reserve("ses", Stream.CRITICAL, 1).count == 1


def test_stream_has_its_own_ceiling(settings):
    settings.EMAIL_RATE, settings.EMAIL_STREAM_RATES = "1000", "bulk=4"
    assert reserve("ses", Stream.BULK, 10).count == 1
    assert reserve("ses", Stream.DEFAULT, 10).count == 10


def test_provider_without_a_rate_is_not_slowed(settings):
    settings.EMAIL_RATE, settings.EMAIL_STREAM_RATES = "ses=1", ""
    assert reserve("sendgrid", Stream.DEFAULT, 50).count == 50


def test_many_threads_together_keep_the_rate(settings):
    settings.EMAIL_RATE, settings.EMAIL_STREAM_RATES = "50", ""
    granted = []
    began = time.monotonic()

    def take():
        while time.monotonic() - began < 1.5:
            granted.append(reserve("ses", Stream.DEFAULT, 1).count)
            time.sleep(0.002)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    assert sum(granted) <= 50 * took + 25 + 1
    assert sum(granted) >= 50 * 1.5 * 0.9


def test_redis_away_is_said_in_our_own_words(settings, monkeypatch):
    gone = redis.Redis(port=1, socket_connect_timeout=0.1)
    monkeypatch.setattr(budget, "_script", lambda: gone.register_script("return 1"))
    with pytest.raises(BudgetUnavailableError):
        reserve("ses", Stream.DEFAULT, 1)
