"""Connect to Redis (or Valkey), which keeps the budget, the circuits and the broker's health."""

import threading
import time
from functools import cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from notifications.conf import settings
from notifications.rules.servers import RedisServer

# One slow answer must not hold a worker's thread; redis-py retries ten times by default.
TIMEOUT_S = 1.0
# How long a process does not call Redis after a failure: a hung server holds a thread for its whole time limit.
COOLDOWN_S = 5.0


class Cooldown:
    """Remember, for one process, that a server failed recently. Thread-safe."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = 0.0

    def start(self, seconds: float | None = None) -> None:
        # For this long instead of the usual time.
        self._until = time.monotonic() + (self._seconds if seconds is None else seconds)

    def clear(self) -> None:
        self._until = 0.0

    @property
    def active(self) -> bool:
        return time.monotonic() < self._until


# For callers of `client()` that have a fallback: the budget and the circuits.
cooldown = Cooldown(COOLDOWN_S)
_connecting = threading.Lock()


def client() -> redis.Redis:
    # Connects when first used and again after every failure.
    return shared_client(settings.REDIS_URL)


def shared_client(url: str) -> redis.Redis:
    # Without the lock, two threads could create one client each. The one that is not cached closes its connections
    # when it is collected, even if it is in use.
    with _connecting:
        return _client_at(url)


@cache
def _client_at(url: str) -> redis.Redis:
    return new_client(url)


def new_client(url: str) -> redis.Redis:
    # The caller closes it.
    return redis.Redis(
        **RedisServer.from_url(url).client_options(settings.REDIS_CA_FILE),
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=25,
    )


def reset() -> None:
    _client_at.cache_clear()
