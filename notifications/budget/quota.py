"""What the provider's account allows, brought into the budget. Called every minute by one process."""

import json
import logging
from dataclasses import asdict
from typing import Any

import redis
from django.db import Error as DatabaseError
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from notifications.budget import day, scripts
from notifications.conf import settings
from notifications.models import ProviderQuota
from notifications.providers.base.account import Account, Quota
from notifications.providers.base.mail import ProviderError
from notifications.providers.registry import account_of

logger = logging.getLogger(__name__)

# The last answer stays good for so long if no other follows; then the settings alone decide.
GOOD_FOR_S = 86_400.0
# Slower than this nothing is sent; an account that may send nothing at all says so at every call.
LEAST_RATE = 0.1


def refresh_all() -> int:
    """Ask the accounts of all providers in use; return how many answered."""
    accounts = {name: account_of(name) for name in settings.EMAIL_PROVIDERS}
    return sum(refresh(name, account) is not None for name, account in accounts.items() if account)


def refresh(provider: str, account: Account) -> Quota | None:
    """Ask the account, aim at its EMAIL_QUOTA_SHARE, and return what it said; None if there was no answer.

    Never raises for the provider's, Redis' or the database's sake: sending goes on with what is known.
    """
    try:
        quota = account.quota()
        if quota is not None:
            _write_down(provider, quota)
            _keep(provider, quota)
    except (ProviderError, redis.RedisError, DatabaseError) as error:
        logger.warning("the quota of %s is not known anew (%s); the last one holds", provider, type(error).__name__)
        return None
    return quota


def restore(provider: str) -> None:
    """Bring the last quota back into a Redis that was wiped. Raises redis.RedisError and Django's database errors."""
    age = ExpressionWrapper(Now() - F("read_at"), output_field=DurationField())
    known = ProviderQuota.objects.filter(provider=provider).annotate(age=age).first()
    if known is not None and (good_for_s := GOOD_FOR_S - known.age.total_seconds()) > 0:
        quota = Quota(per_second=known.per_second, per_day=known.per_day, sent_today=known.sent_today)
        _keep(provider, quota, good_for_s)


def _write_down(provider: str, quota: Quota) -> None:
    ProviderQuota.objects.update_or_create(provider=provider, defaults={**asdict(quota), "read_at": Now()})


def _keep(provider: str, quota: Quota, good_for_s: float = GOOD_FOR_S) -> None:
    ask: dict[str, Any] = {"sent_today": quota.sent_today, "good_for_us": good_for_s * 1e6}
    if quota.per_second is not None:
        ask["rate"] = max(quota.per_second * settings.EMAIL_QUOTA_SHARE, LEAST_RATE)
    if quota.per_day is not None:
        ask["daily"] = quota.per_day
    keys = [scripts.state_key(provider), scripts.day_key(provider)]
    if not scripts.script(scripts.ACCOUNT)(keys=keys, args=[json.dumps(ask)]):
        day.rebuild(provider)
        scripts.script(scripts.ACCOUNT)(keys=keys, args=[json.dumps(ask)])
