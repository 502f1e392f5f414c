"""One hand-over of a message to a provider, and its result."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from notifications.models.message import Message


class DeliveryAttempt(models.Model):
    """Written once, after the attempt. It is never changed, and deleted only with its message."""

    class Result(models.TextChoices):
        ACCEPTED = "accepted"
        TRANSIENT = "transient"
        RATE_LIMITED = "rate-limited"
        PERMANENT = "permanent"
        MISCONFIGURED = "misconfigured"
        AMBIGUOUS = "ambiguous"

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="delivery_attempts")
    number = models.PositiveSmallIntegerField()
    provider = models.CharField(max_length=32)
    result = models.CharField(max_length=16, choices=Result)
    provider_message_id = models.CharField(max_length=200, blank=True, default="")
    error_code = models.CharField(max_length=100, blank=True, default="")
    # One sentence of ours, or the server's without addresses, links and keys.
    error = models.CharField(max_length=300, blank=True, default="")
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    task_id = models.CharField(max_length=191, blank=True, default="")
    worker = models.CharField(max_length=200, blank=True, default="")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["message", "number"]
        constraints = [
            models.UniqueConstraint(fields=["message", "number"], name="notifications_attempt_number_unique"),
        ]
        indexes = [
            # Read for an event that did not bring our own id back.
            models.Index(
                fields=["provider_message_id"], condition=~Q(provider_message_id=""), name="attempt_provider_id_idx"
            ),
            # Read when the day's count is rebuilt.
            models.Index(fields=["provider", "recorded_at"], name="attempt_day_idx"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} by {self.provider}: {self.result}"
