"""Count in Redis for all processes or, without Redis, in this process.

A sliding window of two counters for each key, the library's: a large limit needs no more memory than a small one, Redis
uses its own clock, and a try can be reverted.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import islice
from math import ceil, inf
from typing import TypeVar, cast

import redis
from limits import RateLimitItem
from limits.storage import MemoryStorage, RedisStorage, SlidingWindowCounterSupport
from limits.strategies import SlidingWindowCounterRateLimiter

from config.limits_redis import Cooldown, limits_client

logger = logging.getLogger(__name__)

T = TypeVar("T")

PREFIX = "mailroom:limit"
# A person waits for Redis no longer than this, whatever it does; looking up its name has no time limit of its own.
WAIT_S = 0.1
# How long a process counts by itself after Redis has not answered.
COOLDOWN_S = 5.0
# Redis knows no shorter time.
CLOCKS_TICK_S = 0.001
# In Redis, for all processes together: some 25 MB. Beyond them each process counts by itself what is new.
MOST_SHARED_KEYS = 100_000
# How long it is believed that there is no room.
FULL_FOR_S = 10.0
# Two for each thing that is counted; some 10 MB. Beyond them the oldest are forgotten.
MOST_KEYS = 20_000

REDIS_ERRORS = (redis.RedisError, OSError)

cooldown = Cooldown(COOLDOWN_S)
_full = Cooldown(FULL_FOR_S)
# One thread for all requests of a process: one connection, which stays warm, and one request that finds the trouble.
_redis_thread = ThreadPoolExecutor(1, thread_name_prefix="limits")
# The library's memory loses a count where two threads are the first.
_memory_lock = threading.Lock()


class RateLimitedError(Exception):
    """Too many attempts. The next is allowed in `wait_s` seconds, at least 1."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many; wait {wait_s} s")
        self.wait_s = wait_s


@dataclass(frozen=True)
class Counted:
    """One try, as it was counted."""

    limit: RateLimitItem
    key: tuple[str, ...]
    in_redis: bool

    def rollback(self) -> None:
        # Reverts only this try. During an outage of Redis it stays counted there.
        if not self.in_redis:
            _in_memory(self._take_one_off)
        elif not cooldown.active:
            _in_redis(self._take_one_off)

    def _take_one_off(self, limiter: SlidingWindowCounterRateLimiter) -> bool:
        return limiter.hit(self.limit, *self.key, cost=-1)


def count(limit: RateLimitItem, *key: str) -> Counted:
    """Count one try under `key`. Raises RateLimitedError, without counting, beyond `limit`."""

    def tried(limiter: SlidingWindowCounterRateLimiter) -> int:
        return _tried(limiter, limit, key)

    def tried_if_there_is_room(limiter: SlidingWindowCounterRateLimiter) -> int | None:
        return tried(limiter) if _has_room(limiter, limit, key) else None

    wait = None if cooldown.active else _in_redis(tried_if_there_is_room)
    counted_in_redis = wait is not None
    if wait is None:
        wait = _in_memory(tried)
    if wait:
        raise RateLimitedError(wait)
    return Counted(limit, key, counted_in_redis)


def clear(limit: RateLimitItem, *key: str) -> None:
    # During an outage of Redis the counts stay there.
    def cleared(limiter: SlidingWindowCounterRateLimiter) -> bool:
        limiter.clear(limit, *key)
        return True

    _in_memory(cleared)
    if not cooldown.active:
        _in_redis(cleared)


def warm_up() -> None:
    # The first request of this process then need not wait for a connection.
    _in_redis(lambda _: limits_client().ping())


def _tried(limiter: SlidingWindowCounterRateLimiter, limit: RateLimitItem, key: tuple[str, ...]) -> int:
    """Count one try; return the seconds to wait, 0 within the limit."""
    if limiter.hit(limit, *key):
        return 0
    window_s = limit.get_expiry()
    storage = cast("SlidingWindowCounterSupport", limiter.storage)
    return wait_s(window_s, *storage.get_sliding_window(limit.key_for(*key), window_s))


def wait_s(window_s: int, previous: int, previous_s: float, current: int, current_s: float) -> int:
    """Return after how many seconds a full window has room, at least 1.

    The previous window's count weighs what is left of `previous_s`, rounded down: one less as soon as that falls below
    a multiple of its share. The current window is the previous one when `current_s` falls below `window_s`. The
    library's own calculation takes a window that began this very millisecond for one that ends.
    """
    until = [previous_s % (window_s / previous)] if previous > 0 else []
    until += [current_s - window_s] if current > 0 else []
    return max(1, ceil(min(until, default=0.0) + CLOCKS_TICK_S))


def _has_room(limiter: SlidingWindowCounterRateLimiter, limit: RateLimitItem, key: tuple[str, ...]) -> bool:
    # What Redis counts already continues there, so that no limit restarts.
    if not _full.active:
        if limits_client().dbsize() < MOST_SHARED_KEYS:
            return True
        _full.start()
        logger.warning("more than %d rate limits are counted: new ones are counted by each process", MOST_SHARED_KEYS)
    storage = cast("SlidingWindowCounterSupport", limiter.storage)
    previous, _, current, _ = storage.get_sliding_window(limit.key_for(*key), limit.get_expiry())
    return bool(previous or current)


def _in_redis(act: Callable[[SlidingWindowCounterRateLimiter], T]) -> T | None:
    """Return what `act` returns; None while Redis is not called because of an outage."""
    call = _redis_thread.submit(lambda: act(shared()))
    try:
        return call.result(WAIT_S)
    except REDIS_ERRORS as error:
        call.cancel()
        cooldown.start()
        logger.warning("Redis is away (%s); this process counts by itself for a while", type(error).__name__)
        return None


def _in_memory(act: Callable[[SlidingWindowCounterRateLimiter], T]) -> T:
    with _memory_lock:
        if len(memory().storage) > MOST_KEYS:
            for key in list(islice(memory().storage, MOST_KEYS // 10)):
                memory().clear(key)
        return act(SlidingWindowCounterRateLimiter(memory()))


@cache
def shared() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(
        RedisStorage("redis://", connection_pool=limits_client().connection_pool, key_prefix=PREFIX)
    )


class _Expirations(dict[str, float]):
    """The library expires keys in a thread, which must tolerate keys that are gone."""

    def __missing__(self, key: str) -> float:
        return inf


@cache
def memory() -> MemoryStorage:
    storage = MemoryStorage()
    storage.expirations = _Expirations()
    return storage
