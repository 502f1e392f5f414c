"""One fair budget per provider, shared by every worker of every machine.

In any window of T seconds a provider gets at most rate * T + burst messages, over all streams. Every stream always gets
its floor; what others leave idle can be borrowed, by critical mail first and by bulk last. The account's quota, a day's
limit and the provider's own complaints lower the rate. Without Redis each process keeps to a small limit of its own.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import redis

from notifications.budget import day, fallback, quota, rates, scripts
from notifications.conf import settings
from notifications.providers.registry import PROVIDERS
from notifications.rules.states import Stream
from notifications.runtime.redis_client import cooldown, pace_key

logger = logging.getLogger(__name__)
T = TypeVar("T")
STREAMS = tuple(Stream.values)

# Settings are texts that hardly ever change; each is read once.
_rates, _floors, _daily = (lru_cache(rates.parse), lru_cache(rates.floors), lru_cache(rates.daily))

# How far a stream may draw the provider's bucket down by borrowing: so many messages and so many seconds' worth of the
# rate. Critical mail reaches what the others have to leave. Nothing flows over as long as somebody asks every 0.4 s,
# and the relay brings back every 0.2 s what was refused.
BORROW = {Stream.CRITICAL: 2.0, Stream.DEFAULT: 1.75, Stream.BULK: 1.5}
BORROW_S = {Stream.CRITICAL: 0.6, Stream.DEFAULT: 0.5, Stream.BULK: 0.4}
# Below that lies the room of the floors, one message and so many seconds' worth of each. A floor therefore never finds
# the bucket empty, whatever the others have borrowed.
FLOOR_S = 0.2
# Between a grant and the call that uses it there is some work, and a machine may be busy.
USE_WITHIN_S = 0.25
CEILING_S = 0.4
# Bulk leaves the last fifth of a day's limit to the mail that people wait for.
DAY_SHARE = {Stream.CRITICAL: 1.0, Stream.DEFAULT: 1.0, Stream.BULK: 0.8}
DAY_WAIT_S = 300.0
# No message is sent further away than this beyond the moment at which the first one can go; it will ask again then.
LONGEST_WAIT_S = 30.0
# Throttled: less at once, a little more every minute, as senders on SES have found to work.
THROTTLE_STEP = 0.7
THROTTLE_LEAST = 0.1
THROTTLE_ONCE_PER_S = 1.0
RECOVERY_PER_MINUTE = 0.05
LONGEST_PAUSE_S = 900.0


@dataclass(frozen=True)
class Grant:
    """How many messages may go now, and how long each of the others waits (seconds, spread at the rate).

    `granted_at` is Redis' time in microseconds, 0 if the grant is a process's own.
    """

    count: int
    waits_s: tuple[float, ...] = ()
    granted_at: int = 0


def reserve(provider: str, stream: Stream, wanted: int) -> Grant:
    """Take up to `wanted` messages from the budget. What is granted is spent, unless it is given back.

    Raises Django's database errors where the day's count has to be rebuilt.
    """
    grant = _with_redis(lambda: _shared(provider, stream, wanted))
    return grant or Grant(*fallback.reserve(provider, stream, wanted, rate_of(provider)))


def give_back(provider: str, stream: Stream, grant: Grant, unused: int) -> None:
    """Return the part of a grant that turned out not to be needed."""
    if unused and grant.granted_at:
        ask = _terms(provider, stream) | {"count": unused, "granted_at": grant.granted_at}
        _with_redis(lambda: _call(scripts.GIVE_BACK, provider, stream, ask))


def not_sent(provider: str, granted_at: int) -> None:
    """The provider refused a message of a grant of that moment: it does not count for its day."""
    if granted_at:
        _with_redis(lambda: _call(scripts.UNCOUNT, provider, Stream.BULK, {"granted_at": granted_at}))


def throttled(provider: str, retry_after_s: float | None = None) -> None:
    """The provider wants less: lower its rate, and pause all of it for as long as it asks for, 15 minutes at most."""
    pause_s = min(retry_after_s or 0.0, LONGEST_PAUSE_S)
    fallback.pause(provider, pause_s)
    ask = {
        "recovery_per_us": RECOVERY_PER_MINUTE / 60e6,
        "once_per_us": THROTTLE_ONCE_PER_S * 1e6,
        "least_factor": THROTTLE_LEAST,
        "step": THROTTLE_STEP,
        "pause_us": pause_s * 1e6,
    }
    if _with_redis(lambda: _call(scripts.THROTTLED, provider, Stream.BULK, ask)):
        logger.warning("%s throttles us; its rate is lowered and comes back slowly", provider)


def burst(rate: float) -> float:
    """Return how many calls beyond rate * T a window of T seconds can hold at most: about one second's worth."""
    floors = _floors(settings.EMAIL_STREAM_FLOORS, STREAMS).values()
    deepest = BORROW[Stream.CRITICAL] + rate * BORROW_S[Stream.CRITICAL]
    depth = deepest + sum(1 + share * rate * FLOOR_S for share in floors if share)
    return depth + rate * USE_WITHIN_S


def rate_of(provider: str) -> float:
    """Return the rate that the settings give a provider, in messages per second."""
    return _rates(settings.EMAIL_RATE, tuple(PROVIDERS)).get(provider, rates.FASTEST)


def _with_redis(act: Callable[[], T]) -> T | None:
    """Do it, or return None if Redis does not answer now or did not a moment ago."""
    if cooldown.active:
        return None
    try:
        return act()
    except redis.RedisError as error:
        cooldown.start()
        logger.warning("Redis is away (%s); this process keeps to a small limit of its own", type(error).__name__)
        return None


def _shared(provider: str, stream: Stream, wanted: int) -> Grant:
    debt = fallback.take_debt(provider)
    ask = _terms(provider, stream) | {"wanted": wanted, "owed": debt}
    try:
        answer = _call(scripts.RESERVE, provider, stream, ask)
        if answer[0] < 0:
            day.rebuild(provider)
            # The rows, and so the day, hold what was sent without Redis.
            debt = ask["owed"] = 0
            quota.restore(provider)
            answer = _call(scripts.RESERVE, provider, stream, ask)
    except BaseException:
        # Perhaps it was counted and the answer lost: rather twice than beyond the provider's limit.
        fallback.owe(provider, debt)
        raise
    granted, first, last, now, rate, left = answer
    if granted < 0:  # wiped once more in between
        return Grant(0, (1.0,) * wanted, now)
    fallback.settle(provider, rate / 1000, left)
    return Grant(granted, _spread(first / 1e6, last / 1e6, wanted - granted), now)


def _call(text: str, provider: str, stream: Stream, ask: Mapping[str, Any]) -> Any:
    keys = [scripts.state_key(provider), scripts.day_key(provider), pace_key(provider, stream)]
    return scripts.script(text)(keys=keys, args=[json.dumps(ask)])


def _terms(provider: str, stream: Stream) -> dict[str, Any]:
    """Return what the settings say, in the scripts' words."""
    floors = _floors(settings.EMAIL_STREAM_FLOORS, STREAMS)
    ceiling = _rates(settings.EMAIL_STREAM_RATES, STREAMS).get(stream)
    daily = _daily(settings.EMAIL_DAILY, tuple(PROVIDERS)).get(provider)
    return {
        "stream": stream.value,
        "rate": rate_of(provider),
        "floors": [floors.get(each, 0.0) for each in Stream],
        "floor": floors.get(stream, 0.0),
        "floor_s": FLOOR_S,
        "borrow": BORROW[stream],
        "borrow_s": BORROW_S[stream],
        "deepest": BORROW[Stream.CRITICAL],
        "deepest_s": BORROW_S[Stream.CRITICAL],
        "ceiling_s": CEILING_S,
        "day_share": DAY_SHARE[stream],
        "day_wait_us": DAY_WAIT_S * 1e6,
        "longest_wait_us": LONGEST_WAIT_S * 1e6,
        "longest_pause_us": LONGEST_PAUSE_S * 1e6,
        "recovery_per_us": RECOVERY_PER_MINUTE / 60e6,
        **({"ceiling": ceiling} if ceiling else {}),
        **({"daily": daily} if daily else {}),
    }


def _spread(first: float, last: float, count: int) -> tuple[float, ...]:
    if count == 0:
        return ()
    step = (last - first) / max(count - 1, 1)
    return tuple(first + step * place for place in range(count))
