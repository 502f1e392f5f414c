"""Count in Redis for all processes or, without Redis, in this process.

Uses the library's sliding window of two counters for each key: memory does not grow with the limit, only Redis' clock
counts, and an attempt can be reverted.
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

from config.limits_redis import limits_client
from notifications import Cooldown

logger = logging.getLogger(__name__)

T = TypeVar("T")

PREFIX = "mailroom:limit"
# The longest time that a request waits for Redis. A DNS look-up has no other time limit.
WAIT_S = 0.1
# How long a process counts in memory after a failure of Redis.
COOLDOWN_S = 5.0
# The resolution of Redis' clock.
CLOCK_TICK_S = 0.001
# In Redis, for all processes together: about 25 MB. Beyond this, each process counts new keys in memory.
MAX_SHARED_KEYS = 100_000
# How long a process does not check again whether Redis has room.
FULL_FOR_S = 10.0
# In memory, two for each count: about 10 MB. Beyond this, the oldest are dropped.
MAX_KEYS = 20_000

REDIS_ERRORS = (redis.RedisError, OSError)

cooldown = Cooldown(COOLDOWN_S)
_full = Cooldown(FULL_FOR_S)
# One thread for all requests of a process: one warm connection, and one request that meets an outage first.
_redis_thread = ThreadPoolExecutor(1, thread_name_prefix="limits")
# The library's memory storage loses a count if two threads create a key at the same time.
_memory_lock = threading.Lock()


class RateLimitedError(Exception):
    """Too many attempts. The next is allowed in `wait_s` seconds, at least 1."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many; wait {wait_s} s")
        self.wait_s = wait_s


@dataclass(frozen=True)
class Counted:
    """One attempt that was counted."""

    limit: RateLimitItem
    key: tuple[str, ...]
    in_redis: bool

    def rollback(self) -> None:
        # Reverts only this attempt. During an outage of Redis it stays counted there.
        if not self.in_redis:
            _in_memory(self._take_one_off)
        elif not cooldown.active:
            _in_redis(self._take_one_off)

    def _take_one_off(self, limiter: SlidingWindowCounterRateLimiter) -> bool:
        return limiter.hit(self.limit, *self.key, cost=-1)


def count(limit: RateLimitItem, *key: str) -> Counted:
    """Count one attempt under `key`. Beyond `limit`, raise RateLimitedError and count nothing."""

    def attempt(limiter: SlidingWindowCounterRateLimiter) -> int:
        return _attempt(limiter, limit, key)

    def attempt_if_there_is_room(limiter: SlidingWindowCounterRateLimiter) -> int | None:
        return attempt(limiter) if _has_room(limiter, limit, key) else None

    wait = None if cooldown.active else _in_redis(attempt_if_there_is_room)
    counted_in_redis = wait is not None
    if wait is None:
        wait = _in_memory(attempt)
    if wait:
        raise RateLimitedError(wait)
    return Counted(limit, key, counted_in_redis)


def clear(limit: RateLimitItem, *key: str) -> None:
    # During an outage of Redis the counts stay there.
    def remove(limiter: SlidingWindowCounterRateLimiter) -> bool:
        limiter.clear(limit, *key)
        return True

    _in_memory(remove)
    if not cooldown.active:
        _in_redis(remove)


def warm_up() -> None:
    # Connects before the first request of this process.
    _in_redis(lambda _: limits_client().ping())


def _attempt(limiter: SlidingWindowCounterRateLimiter, limit: RateLimitItem, key: tuple[str, ...]) -> int:
    """Count one attempt; return the seconds to wait, 0 within the limit."""
    if limiter.hit(limit, *key):
        return 0
    window_s = limit.get_expiry()
    storage = cast("SlidingWindowCounterSupport", limiter.storage)
    return wait_s(window_s, *storage.get_sliding_window(limit.key_for(*key), window_s))


def wait_s(window_s: int, previous: int, previous_s: float, current: int, current_s: float) -> int:
    """Return the seconds until a full window has room, at least 1.

    The previous window's count is weighted by the rest of `previous_s` and rounded down, so it decreases by one in
    equal steps. The current window becomes the previous one when `current_s` falls below `window_s`. The library's own
    calculation mistakes a window that has just begun for one that ends.
    """
    until = [previous_s % (window_s / previous)] if previous > 0 else []
    until += [current_s - window_s] if current > 0 else []
    return max(1, ceil(min(until, default=0.0) + CLOCK_TICK_S))


def _has_room(limiter: SlidingWindowCounterRateLimiter, limit: RateLimitItem, key: tuple[str, ...]) -> bool:
    if not _full.active:
        if limits_client().dbsize() < MAX_SHARED_KEYS:
            return True
        _full.start()
        logger.warning("Redis holds more than %d keys: each process counts new ones in memory", MAX_SHARED_KEYS)
    # A key that Redis already counts stays there, so that its limit does not restart.
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
        logger.warning(
            "Redis does not respond (%s): this process counts rate limits in memory for a while", type(error).__name__
        )
        return None


def _in_memory(act: Callable[[SlidingWindowCounterRateLimiter], T]) -> T:
    with _memory_lock:
        if len(memory().storage) > MAX_KEYS:
            for key in list(islice(memory().storage, MAX_KEYS // 10)):
                memory().clear(key)
        return act(SlidingWindowCounterRateLimiter(memory()))


@cache
def shared() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(
        RedisStorage("redis://", connection_pool=limits_client().connection_pool, key_prefix=PREFIX)
    )


class _Expirations(dict[str, float]):
    """Tolerates missing keys: the library expires keys in another thread."""

    def __missing__(self, key: str) -> float:
        return inf


@cache
def memory() -> MemoryStorage:
    storage = MemoryStorage()
    storage.expirations = _Expirations()
    return storage
