"""Periodic jobs: one declaration each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

# Beat runs the jobs in separate threads, where no email can delay them. PostgreSQL decides what is due
# (`models.housekeeping`), so a restart, a second beat and a wrong clock change nothing. A job starts in one process at
# a time. A job must be safe to repeat: a process that hung may still run it when another one starts it.

# A job is overdue after this many intervals, and this many seconds more.
INTERVALS, GRACE_S = 2, 60.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to do, and how often.

    `name` is stored. What `run` returns is logged, unless it is nothing or 0. An exception of `run` counts as a
    failure: the next try follows after 10 s, 20 s, 40 s …, at the latest after the interval.
    """

    name: str
    every_s: float
    run: Callable[[], object]

    @property
    def overdue_after_s(self) -> float:
        return self.every_s * INTERVALS + GRACE_S


_jobs: dict[str, Job] = {}


def register_job(job: Job) -> None:
    """Add a job, or replace the one of the same name. Called in the `ready` of an app."""
    _jobs[job.name] = job


def registered() -> Iterable[Job]:
    return tuple(_jobs.values())


def get(name: str) -> Job:
    return _jobs[name]
