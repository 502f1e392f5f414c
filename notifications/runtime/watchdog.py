"""Detect a worker that is alive but not consuming tasks. Pure.

A worker can stop consuming without an error: it is connected and answers pings, but takes no tasks
(https://github.com/celery/celery/issues/8030).
"""

from dataclasses import dataclass

from notifications.runtime import troubles
from notifications.runtime.troubles import describe

# A worker with free slots takes a waiting task long before this.
PATIENCE_S = 20.0
# The consumer's timer moves every few seconds, except during a broker outage.
TURNS_WITHIN_S = 15.0
# No task takes longer, not even one whose statement waits for a lock.
STUCK_S = 900.0
ALL_STUCK_S = 180.0
# One slow answer is not an outage.
ANSWERS_WITHIN_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The observed state of a worker.

    Units are seconds. `waiting`: tasks in the worker's queues, None if the broker did not say. `free`: idle slots.
    `idle_s`: for how long it has had a free slot and waiting tasks, and has taken nothing. `still_s`: since the
    consumer's timer last moved. `unheard_s`: since the broker last answered. `full_s`: for how long all slots have been
    busy with the same tasks. `oldest_s`: the age of the oldest task. The last two are 0 during a database outage.
    """

    waiting: int | None
    free: int
    idle_s: float
    still_s: float
    unheard_s: float
    full_s: float = 0.0
    oldest_s: float = 0.0


def diagnose(seen: Seen) -> str:
    # One sentence; empty if nothing is wrong.
    if seen.still_s > TURNS_WITHIN_S:
        return describe(troubles.CONSUMER_STUCK, seen.still_s)
    if seen.unheard_s > ANSWERS_WITHIN_S:
        return describe(troubles.BROKER_SILENT, seen.unheard_s)
    if seen.full_s > ALL_STUCK_S:
        return describe(troubles.ALL_STUCK, seen.full_s)
    if seen.oldest_s > STUCK_S:
        return describe(troubles.ONE_STUCK, seen.oldest_s)
    if seen.waiting and seen.free > 0 and seen.idle_s > PATIENCE_S:
        return describe(troubles.TAKES_NONE, seen.idle_s, tasks=seen.waiting)
    return ""
