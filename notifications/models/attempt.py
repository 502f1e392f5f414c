"""One hand-over of a message to a provider, and its result."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notifications.models.message import Message


class DeliveryAttempt(models.Model):
    """Written after the attempt, and deleted only with its message."""

    class Result(models.TextChoices):
        ACCEPTED = "accepted", _("Accepted")
        TRANSIENT = "transient", _("Temporary error")
        RATE_LIMITED = "rate-limited", _("Rate limited")
        PERMANENT = "permanent", _("Rejected")
        MISCONFIGURED = "misconfigured", _("Account refused")
        AMBIGUOUS = "ambiguous", _("No clear answer")

    message = models.ForeignKey(
        Message,
        on_delete=models.CASCADE,
        related_name="delivery_attempts",
        # The index of the unique pair begins with it.
        db_index=False,
        verbose_name=_("message"),
    )
    number = models.PositiveSmallIntegerField(_("number"))
    provider = models.CharField(_("provider"), max_length=32)
    result = models.CharField(_("result"), max_length=16, choices=Result)
    provider_message_id = models.CharField(_("provider's message id"), max_length=200, blank=True, default="")
    error_code = models.CharField(_("error code"), max_length=100, blank=True, default="")
    # Our sentence, or the server's without addresses, links and keys. Of an accepted attempt: that it was redirected.
    error = models.CharField(_("error"), max_length=300, blank=True, default="")
    duration_ms = models.PositiveIntegerField(_("duration in ms"), null=True, blank=True)
    task_id = models.CharField(_("Celery task"), max_length=191, blank=True, default="")
    worker = models.CharField(_("worker"), max_length=200, blank=True, default="")
    # Of the email as it was rendered, without its secrets: delivery/fingerprint.py. Empty if it is not known.
    fingerprint = models.CharField(_("fingerprint"), max_length=64, blank=True, default="", db_default="")
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())

    class Meta:
        verbose_name = _("delivery attempt")
        verbose_name_plural = _("delivery attempts")
        ordering = ["message", "number"]
        constraints = [
            models.UniqueConstraint(fields=["message", "number"], name="notifications_attempt_number_unique"),
        ]
        indexes = [
            # Read for an event without our message id.
            models.Index(
                fields=["provider_message_id"], condition=~Q(provider_message_id=""), name="attempt_provider_id_idx"
            ),
            # Read when the daily count is rebuilt.
            models.Index(fields=["provider", "recorded_at"], name="attempt_day_idx"),
        ]

    def __str__(self) -> str:
        return gettext("Attempt %(number)s with %(provider)s") % {"number": self.number, "provider": self.provider}
