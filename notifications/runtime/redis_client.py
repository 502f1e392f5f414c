"""The connection to Redis (or Valkey) for what Mailroom itself keeps there: the budget, the providers'
circuits and the broker's health.
"""

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
# How long a process leaves Redis alone after it has not answered: a hung one holds a thread for its whole time limit.
REST_S = 5.0


class Rest:
    """A process's memory that Redis was in trouble a moment ago. Thread-safe: one float, replaced whole."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = 0.0

    def start(self) -> None:
        self._until = time.monotonic() + self._seconds

    def end(self) -> None:
        self._until = 0.0

    @property
    def on(self) -> bool:
        return time.monotonic() < self._until


# Of `client()`, for whoever can do without it: the budget and the circuits.
rest = Rest(REST_S)


_making = threading.Lock()


def client() -> redis.Redis:
    """Return the process's client; it connects when first used and again after every failure."""
    # A cache alone would let two threads that come first make one each, and the client that nobody keeps closes its
    # connections when it goes, also one that is being read from.
    with _making:
        return the_client()


def limits_client() -> redis.Redis:
    """Return the process's client for the counters of rate limits, which have a database of their own."""
    with _making:
        return the_limits_client()


@cache
def the_client() -> redis.Redis:
    return _client_of(settings.REDIS_URL)


@cache
def the_limits_client() -> redis.Redis:
    return _client_of(settings.LIMITS_REDIS_URL)


def _client_of(url: str) -> redis.Redis:
    return redis.Redis(
        **RedisServer.from_url(url).client_options(settings.REDIS_CA_FILE),
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=25,
    )


def pace_key(provider: str, stream: str) -> str:
    """Where a provider's budget, while it holds a stream back, tells the relay how many messages a second can go."""
    return f"mailroom:pace:{provider}:{stream}"


# Workers say every 5 seconds that they do their work.
SERVED_FOR_S = 20


def budget_key(provider: str) -> str:
    """A provider's budget, a hash: among others until when the provider wants a pause, in microseconds."""
    return f"mailroom:budget:{provider}"


# Present as long as Flower runs.
FLOWER_KEY = "mailroom:flower"


def served_key(queue: str) -> str:
    """Present as long as a healthy worker takes tasks from a queue: the queue itself does not tell."""
    return f"mailroom:served:{queue}"
