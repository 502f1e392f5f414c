"""Hourly counts of what happened to messages. Kept when the messages are deleted."""

from django.db import models
from django.db.models.functions import Now

from notifications.models.plain_array import PlainArrayField
from notifications.rules.histogram import BUCKETS


def no_times() -> list[int]:
    return [0] * BUCKETS


class RolledUpHour(models.Model):
    """When an hour was last counted. An hour without email has no other row."""

    hour = models.DateTimeField(primary_key=True)
    counted_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00}"


class HourlyCounts(models.Model):
    """Messages, each counted once in the hour in which it happened."""

    hour = models.DateTimeField()
    sent = models.BigIntegerField(default=0)
    delivered = models.BigIntegerField(default=0)
    deferred = models.BigIntegerField(default=0)
    hard_bounced = models.BigIntegerField(default=0)
    # Soft bounces, and those because of our reputation or the content.
    soft_bounced = models.BigIntegerField(default=0)
    complained = models.BigIntegerField(default=0)
    # Seconds from the acceptance to the delivery: how many messages in each bucket of `rules.histogram`.
    to_delivered = PlainArrayField(models.BigIntegerField(), default=no_times)

    class Meta:
        abstract = True


class HourlyTraffic(HourlyCounts):
    """An hour of one stream with one provider. Messages that no provider saw have no provider."""

    stream = models.CharField(max_length=16)
    provider = models.CharField(max_length=32)
    # Became dead letters.
    failed = models.BigIntegerField(default=0)
    # Accepted by the provider, which then dropped them.
    rejected = models.BigIntegerField(default=0)
    # Seconds from when the message was due to the acceptance.
    to_provider = PlainArrayField(models.BigIntegerField(), default=no_times)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hour", "stream", "provider"], name="notifications_hourly_traffic_once"),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00} {self.stream} {self.provider}"


class HourlyDomain(HourlyCounts):
    """An hour of one recipient domain: those with most email. The others share the row without a domain."""

    domain = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hour", "domain"], name="notifications_hourly_domain_once"),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00} {self.domain}"
