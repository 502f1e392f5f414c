"""When each periodic job last ran, on the database's clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, models

# Only these rows decide what is due: Beat may restart, several may run, and any machine's clock may be wrong. A time
# ahead of the database's clock was written by another clock and is ignored.

#: The first pause after a failure; it doubles up to the job's interval.
RETRY_S = 10.0


class HousekeepingJob(models.Model):
    """One row for each job that has been started."""

    name = models.CharField(max_length=100, primary_key=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    # Failures in a row, and the name of the last error.
    failures = models.PositiveIntegerField(default=0, db_default=0)
    error = models.CharField(max_length=100, blank=True, default="", db_default="")
    # The process that runs the job now. It renews `held_until` meanwhile.
    holder = models.UUIDField(null=True, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True)
class JobState:
    """A job that was started, and the seconds since its last start and last end."""

    name: str
    tried_s: float | None
    done_s: float | None
    failures: int
    error: str


# A job is due if no process holds it (or the lease is over, or was written by another clock) and its pause is over. A
# job that is still held when its lease is over was lost with its process, which counts as a failure.
_DUE = """
(job.held_until IS NULL OR job.held_until <= statement_timestamp()
    OR job.held_until > statement_timestamp() + %(lease_s)s * interval '1 second')
AND (job.tried_at IS NULL OR job.tried_at > statement_timestamp()
    OR job.tried_at <= statement_timestamp() - interval '1 second' * CASE
        WHEN job.failures = 0 AND job.holder IS NULL THEN {every}
        ELSE least({every}, %(retry_s)s * 2 ^ least(job.failures - 1, 10)) END)
"""
_FIND = f"""
SELECT asked.name FROM unnest(%(names)s::text[], %(every)s::float[]) AS asked (name, every_s)
LEFT JOIN notifications_housekeepingjob AS job USING (name)
WHERE job.name IS NULL OR ({_DUE.format(every="asked.every_s")})
"""  # noqa: S608 - made of constants only
_CLAIM = f"""
INSERT INTO notifications_housekeepingjob AS job (name, tried_at, holder, held_until) VALUES
    (%(name)s, statement_timestamp(), %(holder)s, statement_timestamp() + %(lease_s)s * interval '1 second')
ON CONFLICT (name) DO UPDATE
SET failures = job.failures + (job.holder IS NOT NULL)::int,
    tried_at = EXCLUDED.tried_at, holder = EXCLUDED.holder, held_until = EXCLUDED.held_until
WHERE {_DUE.format(every="%(every_s)s::float")}
"""  # noqa: S608 - the same
_FINISH = """
UPDATE notifications_housekeepingjob
SET holder = NULL, held_until = NULL, error = %(error)s,
    done_at = CASE %(error)s WHEN '' THEN statement_timestamp() ELSE done_at END,
    failures = CASE %(error)s WHEN '' THEN 0 ELSE failures + 1 END
WHERE name = %(name)s AND holder = %(holder)s
"""
_JOB_STATES = """
SELECT name, extract(epoch FROM statement_timestamp() - tried_at)::float,
    extract(epoch FROM statement_timestamp() - done_at)::float, failures, error
FROM notifications_housekeepingjob ORDER BY name
"""


def due_jobs(every_s: dict[str, float], *, lease_s: float) -> list[str]:
    # Names of the jobs that are due and not held.
    terms: dict[str, Any] = {
        "names": list(every_s),
        "every": list(every_s.values()),
        "lease_s": lease_s,
        "retry_s": RETRY_S,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIND, terms)
        return [name for (name,) in cursor.fetchall()]


def claim(name: str, every_s: float, holder: UUID, *, lease_s: float) -> bool:
    terms: dict[str, Any] = {"name": name, "every_s": every_s, "holder": holder, "lease_s": lease_s, "retry_s": RETRY_S}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, terms)
        return bool(cursor.rowcount)


def renew(names: Sequence[str], holder: UUID, *, lease_s: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_housekeepingjob SET held_until = statement_timestamp() + %s * interval '1 second'"
            " WHERE name = ANY(%s) AND holder = %s",
            [lease_s, list(names), holder],
        )


def finish(name: str, holder: UUID, error: str = "") -> None:
    # `error` is the name of the error that ended the job, if any.
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, {"name": name, "holder": holder, "error": error[:100]})


def release(names: Sequence[str], holder: UUID) -> None:
    # So that the next process starts them.
    mine = HousekeepingJob.objects.filter(name__in=names, holder=holder)
    mine.update(holder=None, held_until=None, tried_at=None)


def job_states() -> list[JobState]:
    with connection.cursor() as cursor:
        cursor.execute(_JOB_STATES)
        return [JobState(name=n, tried_s=t, done_s=d, failures=f, error=e) for n, t, d, f, e in cursor.fetchall()]
