"""Detect a worker that is alive but not consuming tasks. Pure.

A worker can lose its place at the broker without noticing: it is connected, it answers pings, and takes nothing
(https://github.com/celery/celery/issues/8030).
"""

from dataclasses import dataclass

# A worker with free slots has taken what waits for it long before this.
PATIENCE_S = 20.0
# The consumer's timer moves every few seconds; it stands while the broker is away.
TURNS_WITHIN_S = 15.0
# No task takes so long, not even one whose statement waits for a lock; and none of several that take turns.
STUCK_S = 900.0
ALL_STUCK_S = 180.0
# One slow answer is no outage.
ANSWERS_WITHIN_S = 10.0

STANDS = "its consumer has stood still"
UNHEARD = "the broker has not answered it"
ALL_STUCK = "all of its slots have been busy with the same tasks"
ONE_STUCK = "a task has been running"
TAKES_NONE = "it has taken none"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The observed state of a worker.

    Units are seconds. `waiting`: tasks in the worker's queues, None if the broker did not say. `free`: idle slots.
    `idle_s`: for how long it has had a free slot and waiting tasks, and has taken nothing. `still_s`: since the
    consumer's timer last moved. `unheard_s`: since the broker last answered. `full_s`: for how long all slots have been
    busy with the same tasks. `oldest_s`: the age of the oldest task. The last two are 0 while tasks wait for a database
    that is away.
    """

    waiting: int | None
    free: int
    idle_s: float
    still_s: float
    unheard_s: float
    full_s: float = 0.0
    oldest_s: float = 0.0


def trouble(seen: Seen) -> str:
    # One sentence; empty if nothing is wrong.
    if seen.still_s > TURNS_WITHIN_S:
        return f"{STANDS} for {seen.still_s:.0f} s: it has lost the broker or is held up"
    if seen.unheard_s > ANSWERS_WITHIN_S:
        return f"{UNHEARD} for {seen.unheard_s:.0f} s"
    if seen.full_s > ALL_STUCK_S:
        return f"{ALL_STUCK} for {seen.full_s:.0f} s: its threads are stuck"
    if seen.oldest_s > STUCK_S:
        return f"{ONE_STUCK} for {seen.oldest_s:.0f} s: its thread is stuck"
    if seen.waiting and seen.free > 0 and seen.idle_s > PATIENCE_S:
        tasks = "1 task waits" if seen.waiting == 1 else f"{seen.waiting} tasks wait"
        return f"{tasks} in its queues and {TAKES_NONE} for {seen.idle_s:.0f} s"
    return ""
