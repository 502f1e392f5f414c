"""Connect to the Redis database that counts rate limits."""

import redis
from django.conf import settings

from notifications.runtime.redis_client import shared_client


def limits_client() -> redis.Redis:
    # Connects at the first use and after each failure.
    return shared_client(settings.LIMITS_REDIS_URL)
