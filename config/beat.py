"""Beat, with a loop that can be seen to turn."""

import time
from typing import Any

from celery.beat import PersistentScheduler

from config import heartbeat

# Publishing with a broker in trouble takes a while: three tries, of 5 s each.
TURNS_WITHIN_S = 30.0


class Scheduler(PersistentScheduler):
    """Celery's own. `beat_max_loop_interval` has it look at its schedule often enough for a heartbeat."""

    turned_at = 0.0

    def setup_schedule(self) -> None:
        super().setup_schedule()
        self.turned_at = time.monotonic()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        pause_s = super().tick(*args, **kwargs)
        self.turned_at = time.monotonic()
        heartbeat.touch()
        return pause_s

    def trouble(self) -> str:
        """Return what is wrong with beat, in one sentence; empty if nothing is."""
        still_s = time.monotonic() - self.turned_at
        return f"its loop has stood still for {still_s:.0f} s" if still_s > TURNS_WITHIN_S else ""
