"""Redis in trouble: a person waits for one short time limit, and limits go on being limits."""

import time

import limits
import pytest
import redis

from accounts.ratelimits import limiter
from accounts.ratelimits.limiter import RateLimitedError, count
from devtools.benchmarks.faulty_broker import FaultyBroker

FIVE = limits.parse("5/minute")
AWAY = ("refused", "frozen", "read_only", "full", "locked")
# What a busy machine may add to 0.1 s.
SLACK_S = 0.4


@pytest.fixture
def harmed(tmp_path, monkeypatch):
    """A Redis to harm, and a process that has counted there once."""
    monkeypatch.setattr(limiter, "WAIT_S", 0.1)
    with FaultyBroker(tmp_path) as harmed:
        # The time limits of the process's own client, and none that are shorter.
        with redis.Redis.from_url(
            harmed.url,
            socket_timeout=1.0,
            socket_connect_timeout=1.0,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        ) as client:
            monkeypatch.setattr(limiter, "limits_client", lambda: client)
            limiter.shared.cache_clear()
            well_again()
            yield harmed
            well_again()
        limiter.shared.cache_clear()


def well_again():
    """Wait until the one thread that asks Redis is done with what it has been asked, and Redis is asked again."""
    limiter._redis_thread.submit(lambda: None).result(30)
    limiter.cooldown.clear()
    limiter.warm_up()
    limiter.cooldown.clear()


def within_limit(*key):
    try:
        count(FIVE, *key)
    except RateLimitedError:
        return False
    return True


@pytest.mark.parametrize("harm", AWAY)
def test_process_counts_by_itself_and_waits_for_redis_once(harmed, harm, caplog):
    with harmed.faults[harm]():
        began = time.monotonic()
        let_in = [within_limit("a") for _ in range(20)]
        took_s = time.monotonic() - began
        assert let_in == [True] * 5 + [False] * 15
        assert took_s < limiter.WAIT_S + SLACK_S
        assert limiter.cooldown.active
    assert [record.levelname for record in caplog.records if record.name == limiter.__name__] == ["WARNING"]
    well_again()
    # It is Redis' count again, which has not heard of those.
    assert within_limit("a")
    assert not limiter.cooldown.active


@pytest.mark.parametrize("harm", AWAY)
def test_try_that_redis_cannot_take_back_stays_counted(harmed, harm):
    counted = count(FIVE, "a")
    with harmed.faults[harm]():
        began = time.monotonic()
        counted.rollback()
        assert time.monotonic() - began < limiter.WAIT_S + SLACK_S
    well_again()
    # A frozen one may hear of it when it is well again; then it is taken back late.
    assert [within_limit("a") for _ in range(6)].count(True) in {4, 5}


def test_process_starts_while_redis_is_frozen(harmed):
    with harmed.frozen():
        began = time.monotonic()
        limiter.warm_up()
        assert time.monotonic() - began < limiter.WAIT_S + SLACK_S
        assert within_limit("a")


def test_redis_that_was_wiped_or_restarted_counts_anew(harmed):
    for harm in (harmed.wiped, harmed.restarted):
        assert [within_limit("a") for _ in range(6)].count(True) == 5
        with harm():
            well_again()
    assert within_limit("a")


def test_slow_redis_is_left_alone_and_costs_no_more_than_the_time_limit(harmed):
    with harmed.slow():
        began = time.monotonic()
        assert [within_limit("a") for _ in range(20)].count(True) == 5
        assert time.monotonic() - began < limiter.WAIT_S + SLACK_S
