"""The last heartbeat of each process, for operators who cannot inspect the machine."""

from django.db import models
from django.db.models.functions import Now


class ProcessHeartbeat(models.Model):
    """One row for each process, rewritten every few seconds while the process runs."""

    # As Celery names workers: critical@host. The others likewise: relay@host.
    name = models.CharField(max_length=200, primary_key=True)
    beat_at = models.DateTimeField(db_default=Now())
    # When this name was first heard: a process that started after another fell silent replaces it.
    started_at = models.DateTimeField(db_default=Now())
    # What is wrong, in one sentence, where the process turns and yet does not do its work.
    trouble = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
