"""Hands for tests of the budget: its clock, which is Redis', stands, and its moments are shifted instead."""

from notifications.budget.grants import reserve
from notifications.budget.keys import day_key, state_key
from notifications.runtime.redis_client import client

NOT_A_MOMENT = {b"factor", b"quota_rate", b"quota_day", b"others"}


def let_pass(provider, seconds):
    """Make all moments that Redis remembers of a provider older."""
    key = state_key(provider)
    for name, value in client().hgetall(key).items():
        if name not in NOT_A_MOMENT:
            client().hset(key, name, float(value) - seconds * 1e6)


def drain(stream, provider="ses"):
    """Ask until nothing is granted and return how much was."""
    total = 0
    while count := reserve(provider, stream, 5).count:
        total += count
    return total


def rates_of(*streams, steps, provider="ses"):
    """Return how many messages a second each stream gets, asked in this order, once the burst is spent."""
    for stream in streams:
        drain(stream, provider)
    granted = dict.fromkeys(streams, 0)
    for _ in range(steps):
        let_pass(provider, 0.1)
        for stream in streams:
            granted[stream] += drain(stream, provider)
    return {stream: count / (steps * 0.1) for stream, count in granted.items()}


def state(provider, name):
    """Return one number of a provider's state, None where there is none."""
    value = client().hget(state_key(provider), name)
    return None if value is None else float(value)


def counted(provider):
    """Return what the day's count in Redis adds up to."""
    return sum(int(value) for value in client().hvals(day_key(provider)))


def given(provider, count, *, hours_ago):
    """Write messages of an earlier hour into the day's count."""
    now_s, _ = client().time()
    client().hincrby(day_key(provider), str(now_s // 3600 - hours_ago), count)
