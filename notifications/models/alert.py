"""Which problems have been announced, and whether the announcements arrive."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection, models
from django.db.models import F
from django.db.models.functions import Now

# One failure is no problem yet: the next try may succeed.
FAILING = 2
FIRST_PAUSE_S, LONGEST_PAUSE_S = 15, 300


class Alert(models.Model):
    """One row for each code of a problem that has occurred. All times are on the database's clock."""

    code = models.CharField(max_length=50, primary_key=True)
    text = models.TextField()
    # The processes, providers or streams of this occurrence.
    about = models.JSONField(default=list)
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    # Null while the problem may still be a short disturbance.
    announced_at = models.DateTimeField(null=True)
    over_at = models.DateTimeField(null=True)
    # How often it began again shortly after it was over.
    returns = models.PositiveSmallIntegerField(default=0)
    # What the last post named; null: the webhook knows nothing of the problem, or that it is over.
    posted = models.JSONField(null=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class AlertChannel(models.Model):
    """A channel that failed. It has a row until it works again."""

    # Its setting, never the address, which is a secret.
    name = models.CharField(max_length=50, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=100)
    retry_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def failing_channels() -> dict[str, str]:
    """Return the error of each channel that keeps failing, by its setting."""
    return dict(AlertChannel.objects.filter(failures__gte=FAILING).values_list("name", "error"))


def pausing_channels() -> set[str]:
    """Return the settings of the channels that are not to be tried now."""
    return set(AlertChannel.objects.filter(retry_at__gt=Now()).values_list("name", flat=True))


def keep_channels(names: Iterable[str]) -> None:
    """Forget the failures of all channels but these: the others are no longer set."""
    AlertChannel.objects.exclude(name__in=names).delete()


def record_call(name: str, error: str) -> None:
    """Record a call of a channel. `error` is empty if it succeeded."""
    if not error:
        AlertChannel.objects.filter(name=name).delete()
        return
    row, is_new = AlertChannel.objects.get_or_create(
        name=name, defaults={"failures": 1, "error": error[:100], "retry_at": Now() + pause_after(1)}
    )
    if not is_new:
        AlertChannel.objects.filter(name=name).update(
            failures=F("failures") + 1, error=error[:100], retry_at=Now() + pause_after(row.failures + 1)
        )


def pause_after(failures: int) -> timedelta:
    return timedelta(seconds=min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE_S))


def began_at() -> Mapping[str, datetime]:
    """Return since when each current problem has lasted, by code."""
    return dict(Alert.objects.filter(over_at=None).values_list("code", "began_at"))


def save_alerts(alerts: Sequence[Alert]) -> None:
    fields = [field.name for field in Alert._meta.fields if not field.primary_key]  # noqa: SLF001 - Django's documented API
    Alert.objects.bulk_create(alerts, update_conflicts=True, unique_fields=["code"], update_fields=fields)
