"""Limits hold in Redis and in memory, and the wait is long enough."""

import time
from concurrent.futures import ThreadPoolExecutor

import limits
import pytest

from accounts.ratelimits import limiter
from accounts.ratelimits.limiter import RateLimitedError, count
from config.limits_redis import limits_client
from notifications.runtime.redis_client import client

FIVE = limits.parse("5/minute")


@pytest.fixture(params=["redis", "memory"])
def where(request):
    """Count in Redis or in memory."""
    if request.param == "memory":
        limiter.cooldown.start()
    return request.param


def refused(limit, *key):
    try:
        count(limit, *key)
    except RateLimitedError as error:
        return error.wait_s
    return 0


def test_attempts_up_to_the_limit_pass_and_the_next_gets_a_wait(where):
    assert [refused(FIVE, "a") for _ in range(5)] == [0] * 5
    assert 0 < refused(FIVE, "a") <= 61
    assert refused(FIVE, "b") == 0
    assert limiter.cooldown.active == (where == "memory")


@pytest.mark.parametrize(
    ("previous", "previous_s", "current", "current_s", "wait"),
    [
        (0, 0.0, 5, 600.0, 301),  # all in the window's first millisecond
        (0, 0.0, 5, 590.5, 291),
        (0, 0.0, 5, 300.0, 1),  # ends now
        (5, 299.9, 1, 599.9, 60),  # just begun: 4 of the previous, until it falls below 240
        (5, 240.0, 1, 540.0, 1),
        (5, 130.0, 3, 430.0, 11),
        (1, 20.0, 5, 320.0, 21),  # nothing left of the previous
        (-1, 20.0, 5, 320.0, 21),
        (0, 0.0, 0, 0.0, 1),  # has just expired
    ],
)
def test_wait_ends_when_one_attempt_has_room(previous, previous_s, current, current_s, wait):
    assert limiter.wait_s(300, previous, previous_s, current, current_s) == wait


def test_attempt_after_the_wait_passes(where):
    two = limits.parse("2/2 seconds")
    for _ in range(3):
        while not (wait_s := refused(two, "a")):
            pass
        time.sleep(wait_s)
        assert refused(two, "a") == 0


def test_simultaneous_attempts_do_not_exceed_the_limit(where):
    with ThreadPoolExecutor(16) as threads:
        waits = list(threads.map(lambda _: refused(FIVE, "a"), range(200)))
    assert waits.count(0) == 5


def test_rollback_lets_one_more_attempt_pass(where):
    tries = [count(FIVE, "a") for _ in range(5)]
    tries[0].rollback()
    assert refused(FIVE, "a") == 0
    assert refused(FIVE, "a")


def test_rollback_of_an_attempt_in_redis_changes_no_other_count():
    counted = count(FIVE, "a")
    limiter.cooldown.start()
    counted.rollback()
    assert [refused(FIVE, "a") for _ in range(5)] == [0] * 5
    assert refused(FIVE, "a")


def test_changed_limit_restarts_the_count(where):
    assert [refused(FIVE, "a") for _ in range(6)][5]
    assert refused(limits.parse("6/minute"), "a") == 0


def test_keys_in_redis_expire():
    count(FIVE, "a")
    keys = list(limits_client().scan_iter(f"{limiter.PREFIX}*"))
    assert keys
    assert all(0 < limits_client().ttl(key) <= 120 for key in keys)


def test_memory_drops_the_oldest_keys_beyond_its_maximum(monkeypatch):
    monkeypatch.setattr(limiter, "MAX_KEYS", 1000)
    limiter.cooldown.start()
    one = limits.parse("1/hour")
    for number in range(5000):
        assert refused(one, str(number)) == 0
    memory = limiter.memory()
    assert 800 <= len(memory.storage) <= 1001
    assert len(memory.expirations) <= 1001
    assert len(memory.locks) <= 1001
    assert refused(one, "4999")
    assert refused(one, "0") == 0


def test_memory_drops_expired_keys():
    limiter.cooldown.start()
    second = limits.parse("1/second")
    for number in range(2000):
        count(second, str(number))
    time.sleep(2.1)
    count(second, "and one that has the library look")
    give_up_at = time.monotonic() + 10
    while len(limiter.memory().storage) > 1:
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def test_random_keys_do_not_fill_redis(monkeypatch):
    count(FIVE, "known")
    monkeypatch.setattr(limiter, "MAX_SHARED_KEYS", limits_client().dbsize() + 20)
    for number in range(300):
        assert refused(FIVE, f"made up {number}") == 0
    assert limits_client().dbsize() <= limiter.MAX_SHARED_KEYS
    assert not limiter.cooldown.active


def test_limits_hold_when_redis_is_full(monkeypatch):
    for _ in range(4):
        assert refused(FIVE, "known") == 0
    monkeypatch.setattr(limiter, "MAX_SHARED_KEYS", 0)
    assert [refused(FIVE, "known") > 0 for _ in range(2)] == [False, True]
    assert [refused(FIVE, "new") > 0 for _ in range(6)] == [False] * 5 + [True]


def test_counters_are_not_in_the_brokers_database():
    count(FIVE, "a")
    assert not list(client().scan_iter(f"{limiter.PREFIX}*"))
    assert list(limits_client().scan_iter(f"{limiter.PREFIX}*"))
