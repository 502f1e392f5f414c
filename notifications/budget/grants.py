"""Share one fair budget per provider between all workers of all machines."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import redis

from notifications.budget import day, fallback, quota, scripts
from notifications.budget.terms import LONGEST_PAUSE_S, RECOVERY_PER_MINUTE, rate_of, terms_of
from notifications.rules.states import Stream
from notifications.runtime.redis_client import cooldown

# In any window of T seconds a provider gets at most rate * T + burst messages, over all streams. Every stream always
# gets its floor; idle shares can be borrowed, by critical email first and by bulk last. The account's quota, the daily
# limit and the provider's answers can lower the rate. Without Redis, each process keeps to a small limit.

logger = logging.getLogger(__name__)
T = TypeVar("T")

# When throttled, the rate drops immediately and recovers slowly every minute, which works for senders on SES.
THROTTLE_STEP = 0.7
THROTTLE_LEAST = 0.1
THROTTLE_ONCE_PER_S = 1.0


@dataclass(frozen=True)
class Grant:
    """How many messages may go now, and the others' waits (seconds, spread at the rate).

    `granted_at` is Redis' time in microseconds, 0 if the process granted it without Redis.
    """

    count: int
    waits_s: tuple[float, ...] = ()
    granted_at: int = 0


def reserve(provider: str, stream: Stream, wanted: int) -> Grant:
    """Take up to `wanted` messages from the budget.

    Raises database errors, because it may have to rebuild the daily count. A grant is spent unless it is released.
    """
    grant = _with_redis(lambda: _shared(provider, stream, wanted))
    return grant or Grant(*fallback.reserve_locally(provider, stream, wanted, rate_of(provider)))


def release(provider: str, stream: Stream, grant: Grant, unused: int) -> None:
    if unused and grant.granted_at:
        terms = terms_of(provider, stream)
        _with_redis(lambda: scripts.run("release", provider, terms=terms, count=unused, granted_at=grant.granted_at))


def uncount(provider: str, granted_at: int, count: int = 1) -> None:
    # Providers do not count what they refuse.
    if granted_at:
        _with_redis(lambda: scripts.run("uncount", provider, granted_at=granted_at, count=count))


def throttle(provider: str, retry_after_s: float | None = None) -> None:
    """Lower the rate of a provider that asks for less, and pause it.

    The pause is `retry_after_s`, at most 15 minutes.
    """
    pause_s = min(retry_after_s or 0.0, LONGEST_PAUSE_S)
    fallback.pause(provider, pause_s)
    was_lowered = _with_redis(
        lambda: scripts.run(
            "throttle",
            provider,
            recovery_per_us=RECOVERY_PER_MINUTE / 60e6,
            once_per_us=THROTTLE_ONCE_PER_S * 1e6,
            least_factor=THROTTLE_LEAST,
            step=THROTTLE_STEP,
            pause_us=pause_s * 1e6,
        )
    )
    if was_lowered:
        logger.warning("%s throttles us; its rate is lowered and recovers slowly", provider)


def _with_redis(act: Callable[[], T]) -> T | None:
    # None during an outage of Redis and its cooldown.
    if cooldown.active:
        return None
    try:
        return act()
    except redis.RedisError as error:
        cooldown.start()
        logger.warning("Redis is unavailable (%s); this process keeps to its fallback limit", type(error).__name__)
        return None


def _shared(provider: str, stream: Stream, wanted: int) -> Grant:
    debt, terms = fallback.take_debt(provider), terms_of(provider, stream)
    try:
        answer = scripts.run("reserve", provider, terms=terms, wanted=wanted, owed=debt)
        if answer[0] < 0:
            day.rebuild(provider)
            # The rebuilt count includes what was sent without Redis.
            debt = 0
            quota.restore(provider)
            answer = scripts.run("reserve", provider, terms=terms, wanted=wanted, owed=0)
    except BaseException:
        # It may have been counted and the answer lost: counting twice is better than exceeding the provider's limit.
        fallback.owe(provider, debt)
        raise
    granted, first, last, now, rate, left = answer
    if granted < 0:  # wiped again in between
        return Grant(0, (1.0,) * wanted, now)
    fallback.note_shared(provider, rate / 1000, left)
    return Grant(granted, _spread(first / 1e6, last / 1e6, wanted - granted), now)


def _spread(first: float, last: float, count: int) -> tuple[float, ...]:
    if count == 0:
        return ()
    step = (last - first) / max(count - 1, 1)
    return tuple(first + step * place for place in range(count))
