"""Counting, in Redis for all processes together or, while it is away, in this process's memory.

A sliding window of two counters for each key, the library's: a large limit needs no more memory than a small one, Redis
goes by its own clock, and a try can be given back.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import islice
from math import ceil
from typing import TypeVar

import redis
from limits import RateLimitItem
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from config.redis_client import Rest, client

logger = logging.getLogger(__name__)

T = TypeVar("T")

PREFIX = "mailroom:limit"
# A person waits for Redis no longer than this, whatever it does; looking up its name has no time limit of its own.
WAIT_S = 0.1
# How long a process counts by itself after Redis has not answered.
REST_S = 5.0
# Two for each thing that is counted; some 10 MB. Beyond them the oldest are forgotten.
MOST_KEYS = 20_000

REDIS_ERRORS = (redis.RedisError, OSError)

rest = Rest(REST_S)
# One thread for all requests of a process: one connection, which stays warm, and one request that finds the trouble.
_asker = ThreadPoolExecutor(1, thread_name_prefix="limits")
# The library's memory loses a count where two threads are the first.
_remembering = threading.Lock()


class TooManyError(Exception):
    """It was asked for too often. In `wait_s` seconds, at least 1, it may be asked for again."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many; wait {wait_s} s")
        self.wait_s = wait_s


@dataclass(frozen=True)
class Counted:
    """One try, as it was counted."""

    limit: RateLimitItem
    key: tuple[str, ...]
    shared: bool

    def give_back(self) -> None:
        """Count it no longer, and only it. What Redis cannot hear of now stays counted there."""
        if not self.shared:
            _in_memory(self._take_one_off)
        elif not rest.on:
            _in_redis(self._take_one_off)

    def _take_one_off(self, limiter: SlidingWindowCounterRateLimiter) -> bool:
        return limiter.hit(self.limit, *self.key, cost=-1)


def count(limit: RateLimitItem, *key: str) -> Counted:
    """Count one try under `key`. Raises TooManyError, and counts nothing, where that would be more than `limit`."""

    def tried(limiter: SlidingWindowCounterRateLimiter) -> int:
        return _tried(limiter, limit, key)

    wait_s = None if rest.on else _in_redis(tried)
    shared = wait_s is not None
    if wait_s is None:
        wait_s = _in_memory(tried)
    if wait_s:
        raise TooManyError(wait_s)
    return Counted(limit, key, shared)


def warm_up() -> None:
    """Connect to Redis now, so that the first request of this process need not pay for it."""
    _in_redis(lambda _: client().ping())


def _tried(limiter: SlidingWindowCounterRateLimiter, limit: RateLimitItem, key: tuple[str, ...]) -> int:
    """Return how many seconds to wait, 0 if this one was within the limit."""
    if limiter.hit(limit, *key):
        return 0
    return max(1, ceil(limiter.get_window_stats(limit, *key).reset_time - time.time()))


def _in_redis(act: Callable[[SlidingWindowCounterRateLimiter], T]) -> T | None:
    """Return what `act` says of the shared counts, or None and leave Redis alone for a while if it is in trouble."""
    asking = _asker.submit(lambda: act(shared()))
    try:
        return asking.result(WAIT_S)
    except REDIS_ERRORS as error:
        asking.cancel()
        rest.start()
        logger.warning("Redis is away (%s); this process counts by itself for a while", type(error).__name__)
        return None


def _in_memory(act: Callable[[SlidingWindowCounterRateLimiter], T]) -> T:
    with _remembering:
        if len(memory().storage) > MOST_KEYS:
            for key in list(islice(memory().storage, MOST_KEYS // 10)):
                memory().clear(key)
        return act(SlidingWindowCounterRateLimiter(memory()))


@cache
def shared() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(
        RedisStorage("redis://", connection_pool=client().connection_pool, key_prefix=PREFIX)
    )


@cache
def memory() -> MemoryStorage:
    return MemoryStorage()
