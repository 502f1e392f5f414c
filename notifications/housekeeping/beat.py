"""Run the periodic jobs in separate threads, and report whether beat's loop moves."""

import time
from typing import Any

from celery.beat import Scheduler
from celery.utils.imports import load_extension_class_names, symbol_by_name

from notifications.housekeeping.keeper import Keeper
from notifications.runtime import heartbeat
from notifications.runtime.celery import PROJECTS_SCHEDULER, RESULTS
from notifications.runtime.troubles import LOOP_STUCK, describe

# During a broker outage, publishing takes three tries of 5 s each.
TURNS_WITHIN_S = 30.0


def scheduler(app: Any, **options: Any) -> "KeepingScheduler":
    """Return the scheduler of the project's tasks, with the engine's jobs beside them."""
    known: dict[str, str] = dict(load_extension_class_names("celery.beat_schedulers"))  # type: ignore[arg-type] # the stubs are wrong
    projects = symbol_by_name(app.conf[PROJECTS_SCHEDULER], aliases=known)
    made: KeepingScheduler = type("Scheduler", (KeepingScheduler, projects), {})(app=app, **options)
    return made


class KeepingScheduler(Scheduler):
    """Mixed into a project's scheduler. `beat_max_loop_interval` limits its pauses."""

    turned_at = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.keeper = Keeper()
        super().__init__(*args, **kwargs)

    def install_default_entries(self, data: Any) -> None:
        # Celery's only one sends a task that deletes old results in one transaction. The job `prune` deletes ours.
        if self.app.conf.result_backend != RESULTS:
            super().install_default_entries(data)

    def setup_schedule(self) -> None:
        super().setup_schedule()
        self.turned_at = time.monotonic()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        pause_s = super().tick(*args, **kwargs)
        self.turned_at = time.monotonic()
        # A container's probe reads the file, so stuck jobs restart beat.
        if not self.trouble():
            heartbeat.touch()
        return pause_s

    def trouble(self) -> str:
        # One sentence; empty if nothing is wrong.
        still_s = time.monotonic() - self.turned_at
        if still_s > TURNS_WITHIN_S:
            return describe(LOOP_STUCK, still_s)
        return self.keeper.trouble()
