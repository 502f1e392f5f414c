"""Read how long the budget holds a stream back. Takes nothing from it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from notifications.budget.keys import day_key, pace_key, state_key
from notifications.budget.terms import terms_of
from notifications.rules.states import Stream
from notifications.runtime.redis_client import client

HOUR_S = 3600
# Of a provider's state: what the account allows, and until when that is known.
_FIELDS = ("pause", "quota_until", "quota_day", "others")


@dataclass(frozen=True, kw_only=True)
class BudgetOutlook:
    """`pace`: messages per second of the stream, None while nothing is held back.

    `pause_s`: how long the provider asked us to wait. `day_s`: until the daily limit has room, None if that is unknown.
    """

    pace: float | None = None
    pause_s: float = 0.0
    day_s: float | None = 0.0


def budget_outlook(provider: str, stream: Stream) -> BudgetOutlook:
    """Return what holds the stream back at this provider. Raises redis.RedisError."""
    pipeline = client().pipeline(transaction=False)
    pipeline.get(pace_key(provider, stream))
    pipeline.hmget(state_key(provider), _FIELDS)
    pipeline.hgetall(day_key(provider))
    pipeline.time()
    pace, state, hours, (seconds, microseconds) = pipeline.execute()
    now_s = seconds + microseconds / 1e6
    pause_us, *account = (float(value or 0) for value in state)
    by_hour = {int(hour): int(count) for hour, count in hours.items()}
    allowed = _allowed_a_day(provider, stream, *(account if account[0] > now_s * 1e6 else (0.0, 0.0, 0.0)))
    return BudgetOutlook(
        pace=None if pace is None else float(pace),
        pause_s=max(0.0, pause_us / 1e6 - now_s),
        day_s=0.0 if allowed is None else day_wait_s(by_hour, now_s, allowed),
    )


def _allowed_a_day(provider: str, stream: Stream, known_until: float, account: float, others: float) -> int | None:
    # As reserve.lua computes it. `others`: what other applications of the account have sent.
    terms = terms_of(provider, stream)
    limits = [limit for limit in (terms.daily, account if known_until else None) if limit]
    return math.floor(min(limits) * terms.day_share) - int(others) if limits else None


def day_wait_s(by_hour: Mapping[int, int], now_s: float, allowed: int) -> float | None:
    """Return the seconds until fewer than `allowed` messages count, None if that never comes.

    `by_hour`: messages by hour since the epoch. An hour counts until 24 whole hours have followed it.
    """
    oldest = int(now_s // HOUR_S) - 24
    counted = sum(count for hour, count in by_hour.items() if hour >= oldest)
    if counted < allowed:
        return 0.0
    for hour in sorted(hour for hour in by_hour if hour >= oldest):
        counted -= by_hour[hour]
        if counted < allowed:
            return (hour + 25) * HOUR_S - now_s
    return None
