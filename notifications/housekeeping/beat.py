"""Run the periodic jobs in separate threads, and report whether beat's loop moves."""

import time
from typing import Any

from celery.beat import PersistentScheduler

from notifications.housekeeping.keeper import Keeper
from notifications.runtime import heartbeat
from notifications.runtime.troubles import LOOP_STUCK, describe

# During a broker outage, publishing takes three tries of 5 s each.
TURNS_WITHIN_S = 30.0


class Scheduler(PersistentScheduler):
    """Celery's scheduler, for tasks that a project adds. `beat_max_loop_interval` limits its pauses."""

    turned_at = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.keeper = Keeper()
        super().__init__(*args, **kwargs)

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
