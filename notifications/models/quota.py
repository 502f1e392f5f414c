"""What a provider's account allowed when Mailroom last asked."""

from django.db import models
from django.db.models.functions import Now


class ProviderQuota(models.Model):
    """Kept because Redis may lose the quota, which email could then exceed."""

    provider = models.CharField(max_length=32, primary_key=True)
    # None: the provider sets no such limit.
    per_second = models.FloatField(null=True, blank=True)
    per_day = models.BigIntegerField(null=True, blank=True)
    sent_today = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"quota of {self.provider}"
