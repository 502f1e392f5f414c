"""When each process last said that it does its work, for whoever cannot look at the machine itself."""

from datetime import timedelta

from django.db import connection, models
from django.db.models.functions import Now

# A process that has been silent for so long was taken away; that nobody does its work is seen otherwise.
FORGET_AFTER = timedelta(hours=1)


class ProcessHeartbeat(models.Model):
    """One row for each process; rewritten every few seconds while the process turns."""

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


def beat(name: str, trouble: str = "") -> None:
    """Write down that the process turns, and what keeps it from its work. Raises Django's database errors."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO notifications_processheartbeat (name, beat_at, trouble) VALUES (%s, statement_timestamp(), %s)
            ON CONFLICT (name) DO UPDATE SET beat_at = EXCLUDED.beat_at, trouble = EXCLUDED.trouble
            """,
            [name[:200], trouble[:200]],
        )
    ProcessHeartbeat.objects.filter(beat_at__lt=Now() - FORGET_AFTER).delete()


def goodbye(name: str) -> None:
    """The process has ended in order: nobody is to miss it. Raises Django's database errors."""
    ProcessHeartbeat.objects.filter(name=name[:200]).delete()
