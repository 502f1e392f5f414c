"""Run the due periodic jobs: one thread schedules, and each job has a thread."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

import redis
from django.db import Error

from notifications import housekeeping
from notifications.housekeeping import Job
from notifications.models import housekeeping as table
from notifications.runtime.database import drop_connection, error_name, is_outage
from notifications.runtime.troubles import JOB_STUCK, JOBS_UNCHECKED, describe

logger = logging.getLogger(__name__)

EVERY_S = 2.0
# The jobs of a killed process are taken over after this.
LEASE_S = 30.0
# A round runs a few short queries.
TURNS_WITHIN_S = 150.0
# A job that runs longer is stuck.
STUCK_S = 900.0
STOP_WITHIN_S = 3.0


@dataclass
class _Running:
    job: Job
    thread: threading.Thread = field(init=False)
    began_at: float = field(default_factory=time.monotonic)
    # The name of its error, empty after success; None while it runs.
    ended: str | None = None

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, name=f"housekeeping-{self.job.name}", daemon=True)

    def _run(self) -> None:
        try:
            self.ended = work(self.job)
        finally:
            # An interpreter that shuts down raises more than exceptions.
            self.ended = self.ended if self.ended is not None else "stopped"
            drop_connection()


def work(job: Job) -> str:
    # The name of the error, empty if the job succeeded.
    try:
        result = job.run()
    except Exception as error:
        if is_outage(error) or isinstance(error, redis.RedisError):
            logger.warning("housekeeping: %s failed (%s) and will be retried", job.name, error_name(error))
        else:
            logger.exception("housekeeping: %s failed and will be retried", job.name)
        return error_name(error)
    if result:
        logger.info("housekeeping: %s: %s", job.name, result)
    return ""


class Keeper:
    def __init__(self) -> None:
        self.holder = uuid4()
        self.turned_at = time.monotonic()
        self._running: dict[str, _Running] = {}
        self._stop = threading.Event()
        self._had_outage = False
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        # The next process takes over the running jobs.
        self._stop.set()
        self._thread.join(STOP_WITHIN_S)

    def trouble(self) -> str:
        # One sentence; empty if nothing is wrong.
        now = time.monotonic()
        if now - self.turned_at > TURNS_WITHIN_S:
            return describe(JOBS_UNCHECKED, now - self.turned_at)
        stuck = [each for each in list(self._running.values()) if now - each.began_at > STUCK_S]
        return describe(JOB_STUCK, now - stuck[0].began_at, job=stuck[0].job.name) if stuck else ""

    def turn(self) -> None:
        """Record ended jobs, renew running ones, start due ones. Raises database errors."""
        for name, running in list(self._running.items()):
            if running.ended is not None:
                table.finish(name, self.holder, running.ended)
                del self._running[name]
        if self._running:
            table.renew(list(self._running), self.holder, lease_s=LEASE_S)
        jobs = {job.name: job for job in housekeeping.registered() if job.name not in self._running}
        for name in table.due_jobs({job.name: job.every_s for job in jobs.values()}, lease_s=LEASE_S):
            if table.claim(name, jobs[name].every_s, self.holder, lease_s=LEASE_S):
                self._begin(jobs[name])

    def _begin(self, job: Job) -> None:
        running = self._running[job.name] = _Running(job)
        running.thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._safely(self.turn)
            self.turned_at = time.monotonic()
            self._stop.wait(EVERY_S)
        self._safely(self._leave)

    def _leave(self) -> None:
        for name, running in self._running.items():
            if running.ended is not None:
                table.finish(name, self.holder, running.ended)
        table.release([name for name, running in self._running.items() if running.ended is None], self.holder)

    def _safely(self, act: Callable[[], None]) -> None:
        # During a database outage, the next round repeats what this one could not do.
        before, self._had_outage = self._had_outage, False
        try:
            act()
        except Error as error:
            self._had_outage = True
            if not before:
                logger.warning("housekeeping is waiting for the database (%s)", error_name(error))
            drop_connection()
            housekeeping.report_outage(error)
        finally:
            drop_connection()
