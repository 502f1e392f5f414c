"""How much of its budget each provider has used, for people who read the status."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import redis

from notifications.budget.keys import day_key, state_key
from notifications.budget.rates import FASTEST
from notifications.budget.terms import RECOVERY_PER_MINUTE, terms_of
from notifications.rules.states import Stream
from notifications.runtime.redis_client import client


@dataclass(frozen=True, kw_only=True)
class Usage:
    """`rate`: messages per second now. `used`: messages of about 24 hours, of `daily`.

    `throttled`: the part of the rate that the provider's answers have left. A limit that is None does not exist.
    """

    rate: float | None
    throttled: float
    used: int
    daily: int | None


def usages(providers: Iterable[str]) -> dict[str, Usage]:
    """Return the usage by provider; empty during an outage of Redis."""
    names = list(providers)
    pipeline = client().pipeline(transaction=False)
    pipeline.time()
    for name in names:
        pipeline.hgetall(state_key(name))
        pipeline.hgetall(day_key(name))
    try:
        (seconds, microseconds), *answers = pipeline.execute()
    except redis.RedisError:
        return {}
    now_us = seconds * 1e6 + microseconds
    found = zip(names, answers[::2], answers[1::2], strict=True)
    return {name: _usage(name, _numbers(state), _numbers(day), now_us) for name, state, day in found}


def usage_of(
    state: Mapping[str, float], day: Mapping[str, float], now_us: float, *, rate: float, daily: int | None
) -> Usage:
    # The same rules as in lua/state.lua, lua/buckets.lua and lua/reserve.lua.
    account = state if state.get("quota_until", 0) > now_us else {}
    recovered = max(0.0, now_us - state.get("factor_at", now_us)) * RECOVERY_PER_MINUTE / 60e6
    throttled = min(1.0, state.get("factor", 1.0) + recovered)
    allowed = min(rate, account.get("quota_rate", rate))
    hour = now_us // 3_600_000_000
    limits = [limit for limit in (daily, account.get("quota_day")) if limit is not None]
    own = sum(count for started, count in day.items() if float(started) >= hour - 24)
    return Usage(
        rate=None if allowed >= FASTEST else allowed * throttled,
        throttled=throttled,
        used=int(own + (state.get("others", 0) if limits else 0)),
        daily=int(min(limits)) if limits else None,
    )


def _usage(provider: str, state: Mapping[str, float], day: Mapping[str, float], now_us: float) -> Usage:
    # The rate and the daily limit are those of all streams.
    terms = terms_of(provider, Stream.CRITICAL)
    return usage_of(state, day, now_us, rate=terms.rate, daily=terms.daily)


def _numbers(answer: Mapping[bytes, bytes]) -> dict[str, float]:
    return {name.decode(): float(value) for name, value in answer.items()}
