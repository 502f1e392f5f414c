"""The last heartbeat of each process, for operators who cannot inspect the machine."""

from django.db import models
from django.db.models.functions import Now


class ProcessHeartbeat(models.Model):
    """One row for each process, rewritten every few seconds while the process runs."""

    # Named like Celery's workers: critical@host, relay@host.
    name = models.CharField(max_length=200, primary_key=True)
    beat_at = models.DateTimeField(db_default=Now())
    # The first heartbeat under this name. A process replaces the row of one that stopped.
    started_at = models.DateTimeField(db_default=Now())
    # One sentence about what keeps the running process from its work.
    trouble = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
