"""How much a provider was given in the last 24 hours, told by the rows: Redis may forget, they do not."""

import json
from datetime import UTC, timedelta

from django.db.models import Count
from django.db.models.functions import Now, TruncHour

from notifications.budget import scripts
from notifications.models import DeliveryAttempt, Message
from notifications.rules.states import Status

# The provider took it, or may have: it has counted these.
COUNTED = [DeliveryAttempt.Result.ACCEPTED, DeliveryAttempt.Result.AMBIGUOUS]


def rebuild(provider: str) -> None:
    """Write the day's count into Redis, unless somebody else has done so by now.

    Raises redis.RedisError and Django's database errors.
    """
    ask = {"hours": sent_by_hour(provider), "on_the_way": on_the_way(provider)}
    keys = [scripts.state_key(provider), scripts.day_key(provider)]
    scripts.script(scripts.REBUILD)(keys=keys, args=[json.dumps(ask)])


def sent_by_hour(provider: str) -> dict[str, int]:
    """Return how many messages the provider has counted in the last 24 hours, by hour since the epoch."""
    attempts = DeliveryAttempt.objects.filter(
        provider=provider, recorded_at__gt=Now() - timedelta(hours=24), result__in=COUNTED
    )
    by_hour = attempts.order_by().values_list(TruncHour("recorded_at", tzinfo=UTC)).annotate(count=Count("*"))
    return {str(int(hour.timestamp()) // 3600): count for hour, count in by_hour}


def on_the_way(provider: str) -> int:
    """Return how many messages are being handed over at this moment; their attempts are not written down yet."""
    return Message.objects.filter(status=Status.SENDING, provider=provider, handed_over_at__isnull=False).count()
