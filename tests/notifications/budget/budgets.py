"""Helpers for tests of the budget: the clock of Redis is stopped, and its times are shifted."""

from notifications.budget.grants import reserve
from notifications.budget.keys import day_key, state_key
from notifications.runtime.redis_client import client

NOT_A_MOMENT = {b"factor", b"quota_rate", b"quota_day", b"others"}


def let_pass(provider, seconds):
    """Make all times of a provider in Redis older."""
    key = state_key(provider)
    for name, value in client().hgetall(key).items():
        if name not in NOT_A_MOMENT:
            client().hset(key, name, float(value) - seconds * 1e6)


def drain(stream, provider="ses"):
    """Reserve until nothing is granted; return the total."""
    total = 0
    while count := reserve(provider, stream, 5).count:
        total += count
    return total


def rates_of(*streams, steps, provider="ses"):
    """Return the messages per second of each stream, asked in this order, after the burst."""
    for stream in streams:
        drain(stream, provider)
    granted = dict.fromkeys(streams, 0)
    for _ in range(steps):
        let_pass(provider, 0.1)
        for stream in streams:
            granted[stream] += drain(stream, provider)
    return {stream: count / (steps * 0.1) for stream, count in granted.items()}


def state(provider, name):
    """Return one number of a provider's state, or None."""
    value = client().hget(state_key(provider), name)
    return None if value is None else float(value)


def counted(provider):
    """Return the sum of the daily count in Redis."""
    return sum(int(value) for value in client().hvals(day_key(provider)))


def given(provider, count, *, hours_ago):
    """Add messages of an earlier hour to the daily count."""
    now_s, _ = client().time()
    client().hincrby(day_key(provider), str(now_s // 3600 - hours_ago), count)
