"""What some messages have beyond their rows. The others cost nothing."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from notifications.models.message import Message


class MessageContent(models.Model):
    """Further recipients, headers, files, a finished email: `rules/content.py`."""

    message = models.OneToOneField(
        Message, primary_key=True, on_delete=models.CASCADE, related_name="stored_content", verbose_name=_("message")
    )
    # Empty once it was deleted (docs/reference/data-retention.md).
    packed = models.BinaryField(null=True)
    # The recipients after the first, in lower case: read with the suppressions.
    further = models.JSONField(default=list)
    # Those who were suppressed when the email was handed over last.
    left_out = models.JSONField(default=list)
    # Shows whether another message with the same key has other content.
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("stored content")
        verbose_name_plural = _("stored contents")
        # The page of the message shows it.
        default_permissions = ()
        indexes = [
            # Read every hour: what may be deleted.
            models.Index(fields=["created_at"], condition=Q(packed__isnull=False), name="messagecontent_stored_idx")
        ]

    def __str__(self) -> str:
        return str(self.message_id)
