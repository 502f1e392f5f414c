"""Count a provider's messages of 24 hours from rows, which survive a wiped Redis."""

from datetime import UTC, timedelta

from django.db.models import Count
from django.db.models.functions import Now, TruncHour

from notifications.budget import scripts
from notifications.models import DeliveryAttempt, Message
from notifications.rules.states import Status

# The provider counts messages that it accepted, or may have.
COUNTED = [DeliveryAttempt.Result.ACCEPTED, DeliveryAttempt.Result.AMBIGUOUS]


def rebuild(provider: str) -> None:
    """Write the daily count into Redis, unless another process has. Raises redis.RedisError and database errors."""
    scripts.run("rebuild_day", provider, hours=sent_by_hour(provider), in_flight=in_flight(provider))


def sent_by_hour(provider: str) -> dict[str, int]:
    # What the provider has counted, by hour since the epoch.
    attempts = DeliveryAttempt.objects.filter(
        provider=provider, recorded_at__gt=Now() - timedelta(hours=24), result__in=COUNTED
    )
    by_hour = attempts.order_by().values_list(TruncHour("recorded_at", tzinfo=UTC)).annotate(count=Count("*"))
    return {str(int(hour.timestamp()) // 3600): count for hour, count in by_hour}


def in_flight(provider: str) -> int:
    # Messages whose attempts are not recorded yet.
    return Message.objects.filter(status=Status.SENDING, provider=provider, handed_over_at__isnull=False).count()
