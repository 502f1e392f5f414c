"""Keep Redis out of a test: the broker, the shared budget and the shared circuits."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from notifications import pauses
from notifications.bounce_brake import brake
from notifications.breaker import permits
from notifications.budget import fallback
from notifications.delivery.prepared import cache as prepared
from notifications.outbox import publish
from notifications.rules.states import Stream
from notifications.runtime.redis_client import cooldown

# The engine's own ways through an outage of Redis: requests leave every message to the relay, and each process judges
# providers alone. Only the limit of a process without Redis is replaced, because it sends no bulk email.


@contextmanager
def without_redis() -> Iterator[None]:
    """Run the block as in an outage of Redis, with an unlimited budget."""
    _forget()
    publish.cooldown.start(math.inf)
    cooldown.start(math.inf)
    try:
        with patch.object(fallback, "reserve_locally", _grant_all):
            yield
    finally:
        _forget()


def _grant_all(provider: str, stream: Stream, wanted: int, rate: float) -> tuple[int, tuple[float, ...]]:
    return wanted, ()


def _forget() -> None:
    # What this process remembers of the test before.
    publish.cooldown.clear()
    publish.lengths.clear()
    fallback.reset()
    permits.reset()
    brake.reset()
    pauses.forget()
    prepared.reset()
