"""Connect to Redis (or Valkey), which keeps the budget, the circuits and the broker's health."""

import threading
import time
from functools import cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from notifications.conf import settings
from notifications.rules.servers import RedisServer

# One slow answer must not hold a worker's thread; redis-py's own default retries ten times.
TIMEOUT_S = 1.0
# How long a process does not call Redis after a failure: a hung server holds a thread for its whole time limit.
COOLDOWN_S = 5.0


class Cooldown:
    """Remember, for one process, that a server failed recently. Thread-safe: one float, replaced whole."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = 0.0

    def start(self) -> None:
        self._until = time.monotonic() + self._seconds

    def clear(self) -> None:
        self._until = 0.0

    @property
    def active(self) -> bool:
        return time.monotonic() < self._until


# Of `client()`, for callers that have a fallback: the budget and the circuits.
cooldown = Cooldown(COOLDOWN_S)
_connecting = threading.Lock()


def client() -> redis.Redis:
    # Connects when first used and again after every failure.
    return shared_client(settings.REDIS_URL)


def shared_client(url: str) -> redis.Redis:
    # A cache alone would let two first threads make one each. The client that is not kept closes its connections when
    # it is collected, also one that is being read from.
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
