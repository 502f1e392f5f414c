"""Periodic jobs: one declaration each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

# Beat runs the jobs in separate threads, where no email can delay them. PostgreSQL decides which jobs are due
# (`models.housekeeping`), so restarts, a second beat and wrong clocks are harmless. One process at a time runs a job,
# but a hung process may still run it when another starts it: a job must be safe to repeat.

# A job is overdue after this many intervals plus this many seconds.
INTERVALS, GRACE_S = 2, 60.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """A periodic job.

    `name` is stored. The result of `run` is logged if it is true. After an exception, the job is retried in 10 s, 20 s,
    40 s …, at the latest after its interval.
    """

    name: str
    every_s: float
    run: Callable[[], object]

    @property
    def overdue_after_s(self) -> float:
        return self.every_s * INTERVALS + GRACE_S


_jobs: dict[str, Job] = {}
_outage_watchers: list[Callable[[Exception], None]] = []


def register_job(job: Job) -> None:
    """Add a job, or replace the one of the same name. Call it in the `ready` of an app."""
    _jobs[job.name] = job


def registered() -> Iterable[Job]:
    return tuple(_jobs.values())


def get(name: str) -> Job:
    return _jobs[name]


def watch_outages(watcher: Callable[[Exception], None]) -> None:
    """Call `watcher` with each database error that keeps beat from the jobs. It must end soon and not raise."""
    _outage_watchers.append(watcher)


def report_outage(error: Exception) -> None:
    for watcher in _outage_watchers:
        watcher(error)
