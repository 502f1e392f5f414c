"""During an outage of Redis, a request waits for one short time limit, and limits still hold."""

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
def faulty(tmp_path, monkeypatch):
    """A Redis server to break, after this process has counted there once."""
    monkeypatch.setattr(limiter, "WAIT_S", 0.1)
    with FaultyBroker(tmp_path) as faulty:
        # The time limits of the real client.
        with redis.Redis.from_url(
            faulty.url,
            socket_timeout=1.0,
            socket_connect_timeout=1.0,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        ) as client:
            monkeypatch.setattr(limiter, "limits_client", lambda: client)
            limiter.shared.cache_clear()
            recover()
            yield faulty
            recover()
        limiter.shared.cache_clear()


def recover():
    """Wait until the Redis thread is idle and the cooldown is over."""
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


@pytest.mark.parametrize("fault", AWAY)
def test_process_counts_in_memory_and_waits_for_redis_once(faulty, fault, caplog):
    with faulty.faults[fault]():
        began = time.monotonic()
        allowed = [within_limit("a") for _ in range(20)]
        took_s = time.monotonic() - began
        assert allowed == [True] * 5 + [False] * 15
        assert took_s < limiter.WAIT_S + SLACK_S
        assert limiter.cooldown.active
    assert [record.levelname for record in caplog.records if record.name == limiter.__name__] == ["WARNING"]
    recover()
    # Redis counts again, without the attempts counted in memory.
    assert within_limit("a")
    assert not limiter.cooldown.active


@pytest.mark.parametrize("fault", AWAY)
def test_attempt_stays_counted_when_redis_cannot_revert_it(faulty, fault):
    counted = count(FIVE, "a")
    with faulty.faults[fault]():
        began = time.monotonic()
        counted.rollback()
        assert time.monotonic() - began < limiter.WAIT_S + SLACK_S
    recover()
    # A frozen server may revert it late, after it recovers.
    assert [within_limit("a") for _ in range(6)].count(True) in {4, 5}


def test_process_starts_while_redis_hangs(faulty):
    with faulty.frozen():
        began = time.monotonic()
        limiter.warm_up()
        assert time.monotonic() - began < limiter.WAIT_S + SLACK_S
        assert within_limit("a")


def test_counts_restart_after_redis_was_wiped_or_restarted(faulty):
    for fault in (faulty.wiped, faulty.restarted):
        assert [within_limit("a") for _ in range(6)].count(True) == 5
        with fault():
            recover()
    assert within_limit("a")


def test_slow_redis_costs_at_most_the_time_limit(faulty):
    with faulty.slow():
        began = time.monotonic()
        assert [within_limit("a") for _ in range(20)].count(True) == 5
        assert time.monotonic() - began < limiter.WAIT_S + SLACK_S
