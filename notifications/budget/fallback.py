"""Limit what a process sends without Redis: a small share, no bulk email.

The number of processes is unknown, so the share is small: with the default of a tenth, ten processes together still
keep to the rate.
"""

import threading
import time
from collections import defaultdict

from notifications.budget.rates import FASTEST
from notifications.conf import settings
from notifications.rules.states import Stream
from notifications.runtime.redis_client import COOLDOWN_S, cooldown

#: For a provider without a rate: this many messages per second are safe for any provider.
UNKNOWN_RATE = 10.0


class LocalBucket:
    """A GCRA in memory, one second deep but at least one message. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._full_at = 0.0
        self._paused_until = 0.0

    def take(self, wanted: int, rate: float) -> tuple[int, tuple[float, ...]]:
        """Return how many of `wanted` may go now, and the others' waits (s)."""
        interval = 1 / rate
        with self._lock:
            now = time.monotonic()
            full_at = max(self._full_at, now)
            room = int((now - full_at) / interval + max(1.0, rate) + 1e-6)
            granted = 0 if now < self._paused_until else min(wanted, max(room, 0))
            self._full_at = full_at + granted * interval
            first = max(self._full_at - (max(1.0, rate) - 1) * interval, self._paused_until) - now
        return granted, tuple(first + interval * place for place in range(wanted - granted))

    def pause(self, seconds: float) -> None:
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)


_buckets: defaultdict[str, LocalBucket] = defaultdict(LocalBucket)
# The rate that the shared budget last reported: the account may allow less than the settings.
_seen: dict[str, float] = {}
# What was left of the daily limit at that time, less what this process has taken since.
_left: dict[str, int] = {}
# What this process has taken and the daily count lacks.
_owed: defaultdict[str, int] = defaultdict(int)
_counts = threading.Lock()


def reserve_locally(provider: str, stream: Stream, wanted: int, rate: float) -> tuple[int, tuple[float, ...]]:
    """Take messages from this process's share; return how many, and the others' waits (s)."""
    if stream is Stream.BULK:
        return 0, (COOLDOWN_S,) * wanted
    known = min(rate, rate_seen(provider) or rate)
    if known >= FASTEST:
        known = UNKNOWN_RATE
    with _counts:
        open_ = min(wanted, _left.get(provider, wanted))
        granted, waits_s = _buckets[provider].take(open_, known * settings.EMAIL_FALLBACK_SHARE)
        _owed[provider] += granted
        if provider in _left:
            _left[provider] -= granted
    return granted, (*waits_s, *(COOLDOWN_S,) * (wanted - open_))


def take_debt(provider: str) -> int:
    # Messages that the shared daily count lacks. Only one thread gets them.
    with _counts:
        return _owed.pop(provider, 0)


def owe(provider: str, messages: int) -> None:
    # The shared daily count still lacks them.
    with _counts:
        _owed[provider] += messages


def note_shared(provider: str, rate: float, left: int) -> None:
    # `left` is what is left of the daily limit.
    with _counts:
        _seen[provider], _left[provider] = rate, left


def rate_seen(provider: str) -> float | None:
    # Messages per second, from the last report of the shared budget.
    return _seen.get(provider)


def pause(provider: str, seconds: float) -> None:
    _buckets[provider].pause(seconds)


def reset() -> None:
    cooldown.clear()
    _buckets.clear()
    _seen.clear()
    _left.clear()
    _owed.clear()
