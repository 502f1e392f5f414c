"""Whether a worker that turns also works. Pure: what is seen in, a sentence out.

A worker can lose its place at the broker without noticing: it is connected, it answers pings, and takes nothing
(https://github.com/celery/celery/issues/8030).
"""

from dataclasses import dataclass

# A worker with free slots has taken what waits for it long before this.
PATIENCE_S = 20.0
# The consumer's timer moves every few seconds; it stands while the broker is away.
TURNS_WITHIN_S = 15.0
# One slow answer is no outage.
ANSWERS_WITHIN_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """`waiting`: tasks in the worker's queues, None if the broker did not say. `free`: idle slots.

    In seconds, `idle_s`: for how long it has had a free slot and something to take, and has taken nothing. `still_s`:
    since the consumer's timer last moved. `unheard_s`: since the broker last answered.
    """

    waiting: int | None
    free: int
    idle_s: float
    still_s: float
    unheard_s: float


def trouble(seen: Seen) -> str:
    """Return what is wrong with the worker, in one sentence; empty if nothing is."""
    if seen.still_s > TURNS_WITHIN_S:
        return f"its consumer has stood still for {seen.still_s:.0f} s: it has lost the broker or is held up"
    if seen.unheard_s > ANSWERS_WITHIN_S:
        return f"the broker has not answered it for {seen.unheard_s:.0f} s"
    if seen.waiting and seen.free > 0 and seen.idle_s > PATIENCE_S:
        tasks = "1 task waits" if seen.waiting == 1 else f"{seen.waiting} tasks wait"
        return f"{tasks} in its queues and it has taken none for {seen.idle_s:.0f} s"
    return ""
