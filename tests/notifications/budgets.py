"""The hand that lets time pass for a budget: Redis has its own clock, so its moments are shifted instead."""

import json
from datetime import timedelta

from django.db.models import F

from notifications.delivery import scripts
from notifications.models import DeliveryAttempt
from notifications.redis_client import client

NOT_A_MOMENT = {b"factor", b"quota_rate", b"quota_day", b"others"}


def let_pass(provider, seconds):
    """Make all that Redis remembers of a provider's buckets older."""
    key = scripts.state_key(provider)
    for name, value in client().hgetall(key).items():
        if name not in NOT_A_MOMENT:
            client().hset(key, name, float(value) - seconds * 1e6)


def state(provider, name):
    """Return one number of a provider's state, None where there is none."""
    value = client().hget(scripts.state_key(provider), name)
    return None if value is None else float(value)


def counted(provider):
    """Return what the day's count in Redis adds up to."""
    return sum(int(value) for value in client().hvals(scripts.day_key(provider)))


def given_before(provider, hours_ago, count):
    """Write messages of an earlier hour into the day's count."""
    now_s, _ = client().time()
    client().hincrby(scripts.day_key(provider), str(now_s // 3600 - hours_ago), count)


def older(attempt, **ago):
    DeliveryAttempt.objects.filter(pk=attempt.pk).update(recorded_at=F("recorded_at") - timedelta(**ago))


def lowered(provider):
    """Return what throttling has left of the rate at its last step."""
    return state(provider, "factor")


def dumped(**ask):
    return [json.dumps(ask)]
