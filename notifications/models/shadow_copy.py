"""What another backend and Mailroom did with the same email, for `manage.py shadow_report`."""

from django.db import models
from django.db.models.functions import Now


class ShadowCopy(models.Model):
    """Deleted after some weeks. It has no personal data."""

    # Of the message that is the copy, if it was queued. No foreign key: deleting messages must not cost more.
    id = models.UUIDField(primary_key=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # The time in the request, for each email of a call, and the error of the other backend.
    old_ms = models.FloatField()
    old_error = models.CharField(max_length=100, default="")
    # The time to queue it in the request, and why it could not be queued or composed.
    new_ms = models.FloatField()
    new_error = models.CharField(max_length=100, default="")
    # Keyed digests of the parts that the other backend got, until they are compared.
    digests = models.JSONField(default=dict)
    # When a worker had composed it, instead of handing it over.
    composed_at = models.DateTimeField(null=True)
    # The names of the parts that differ.
    differences = models.JSONField(default=list)

    class Meta:
        default_permissions = ()
        indexes = [
            # Read by the report, and when old copies are deleted.
            models.Index(fields=["created_at"], name="shadowcopy_created_idx"),
        ]

    def __str__(self) -> str:
        return str(self.id)
