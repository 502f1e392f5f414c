"""Refresh the budget's limits from the provider's account, every minute, in one process."""

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
from notifications.providers.base.sending import ProviderError
from notifications.providers.registry import account_of

logger = logging.getLogger(__name__)

#: How long an answer is valid if no other follows; then the settings alone decide.
VALID_FOR_S = 86_400.0
#: The lowest rate. An account that may send nothing refuses each call anyway.
MIN_RATE = 0.1


def refresh_all() -> int:
    accounts = {name: account_of(name) for name in settings.EMAIL_PROVIDERS}
    return sum(refresh(name, account) is not None for name, account in accounts.items() if account)


def refresh(provider: str, account: Account) -> Quota | None:
    """Ask the account, set its EMAIL_QUOTA_SHARE as the limit, and return the answer.

    Handles errors of the provider, Redis and the database: sending continues with the last quota.
    """
    try:
        quota = account.quota()
        if quota is not None:
            _save(provider, quota)
            _publish(provider, quota)
    except (ProviderError, redis.RedisError, DatabaseError) as error:
        logger.warning("cannot refresh the quota of %s (%s); the last one stays valid", provider, type(error).__name__)
        return None
    return quota


def restore(provider: str) -> None:
    """Write the last quota into a wiped Redis. Raises redis.RedisError and database errors."""
    age = ExpressionWrapper(Now() - F("read_at"), output_field=DurationField())
    known = ProviderQuota.objects.filter(provider=provider).annotate(age=age).first()
    if known is not None and (valid_for_s := VALID_FOR_S - known.age.total_seconds()) > 0:
        quota = Quota(per_second=known.per_second, per_day=known.per_day, sent_today=known.sent_today)
        _publish(provider, quota, valid_for_s)


def _save(provider: str, quota: Quota) -> None:
    ProviderQuota.objects.update_or_create(provider=provider, defaults={**asdict(quota), "read_at": Now()})


def _publish(provider: str, quota: Quota, valid_for_s: float = VALID_FOR_S) -> None:
    rate = None if quota.per_second is None else max(quota.per_second * settings.EMAIL_QUOTA_SHARE, MIN_RATE)
    values: dict[str, Any] = {
        "rate": rate,
        "daily": quota.per_day,
        "sent_today": quota.sent_today,
        "valid_for_us": valid_for_s * 1e6,
    }
    if not scripts.run("quota", provider, **values):
        day.rebuild(provider)
        scripts.run("quota", provider, **values)
