"""Decide for which streams requests leave publishing to the relay, because the queue is long."""

import time
from collections.abc import Mapping

from notifications.conf import settings
from notifications.rules.states import Stream

# In a long queue, a message waits anyway. The relay publishes what waits in tasks of many, which cost a worker much
# less than tasks of one message.

#: How often a process that enqueues asks for the lengths, and in a burst after as many messages as half a long queue.
CHECK_S = 0.5
#: How long it acts on an answer.
TRUST_S = 2.0


class QueueLengths:
    """Remember, for one process, which queues are long. Thread-safe."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._long: frozenset[Stream] = frozenset()
        self._trusted_until = 0.0
        self._next_check = 0.0
        self._enqueued = 0

    def long_queues(self) -> frozenset[Stream]:
        return self._long if time.monotonic() < self._trusted_until else frozenset()

    def must_check(self, enqueued: int) -> bool:
        """Return whether it is time to ask, after that number of messages more."""
        moment = time.monotonic()
        self._enqueued += enqueued
        if moment < self._next_check and self._enqueued < settings.RELAY_HIGH_WATER / 2:
            return False
        self._next_check, self._enqueued = moment + CHECK_S, 0
        return True

    def note(self, depths: Mapping[Stream, int]) -> None:
        before, high_water = self.long_queues(), settings.RELAY_HIGH_WATER
        self._long = frozenset(
            stream for stream, depth in depths.items() if is_long(depth, high_water, was_long=stream in before)
        )
        self._trusted_until = time.monotonic() + TRUST_S


def is_long(depth: int, high_water: int, *, was_long: bool) -> bool:
    # The relay keeps the queue between these two marks while it has a backlog. Newer messages must not overtake it.
    return depth > (high_water // 2 if was_long else high_water)
