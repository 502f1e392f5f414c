"""A worker's heartbeat, and the thread that watches the worker."""

import logging
import threading
import time
from typing import Any

import redis
from celery import bootsteps
from celery.worker import state

from notifications.rules.states import Stream
from notifications.runtime import database, heartbeat, watchdog
from notifications.runtime.troubles import CHECK_OVERDUE, describe

logger = logging.getLogger(__name__)


class Watch:
    """Observe one worker from inside, every few seconds, from a thread.

    A broker that hangs must not delay the consumer.
    """

    def __init__(self, consumer: Any) -> None:
        # As started: a cancelled consumer no longer names its queues.
        self._queues = list(consumer.app.amqp.queues.consume_from)
        self._slots = int(consumer.pool.num_processes or 1)
        self._taken = -1
        self._found = ""
        self.turned_at = self._busy_at = self._heard_at = self._checked_at = time.monotonic()
        # When each task was first seen running.
        self._tasks: dict[Any, float] = {}
        self._moved_at = self._checked_at
        self._stop = threading.Event()
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    @property
    def trouble(self) -> str:
        # One sentence; empty if nothing is wrong.
        unchecked_s = time.monotonic() - self._checked_at
        return self._found if unchecked_s < watchdog.TURNS_WITHIN_S else describe(CHECK_OVERDUE, unchecked_s)

    def turn(self) -> None:
        # The consumer's loop calls this at each turn.
        self.turned_at = time.monotonic()
        if not self.trouble:
            heartbeat.touch()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            seen = self.observe()
            before, self._found = self._found, watchdog.diagnose(seen)
            self._checked_at = time.monotonic()
            if seen.waiting is None and not self._stop.is_set():
                # During a broker outage, a restart of this worker would not help.
                heartbeat.touch()
            if self._found and not before:
                logger.error("this worker is unhealthy: %s", self._found)
            elif before and not self._found:
                logger.warning("this worker is healthy again")
            self._stop.wait(heartbeat.EVERY_S)

    def observe(self) -> watchdog.Seen:
        waiting = self._waiting()
        now, taken, free = time.monotonic(), state.all_total_count[0], self._slots - len(state.active_requests)
        if waiting is not None:
            self._heard_at = now
        full_s, oldest_s = self._held_up(now, free=free, has_moved=taken != self._taken)
        if taken != self._taken or waiting == 0 or free <= 0:
            self._taken, self._busy_at = taken, now
        return watchdog.Seen(
            waiting=waiting,
            free=free,
            idle_s=now - self._busy_at,
            still_s=now - self.turned_at,
            unheard_s=now - self._heard_at,
            full_s=full_s,
            oldest_s=oldest_s,
        )

    def _held_up(self, now: float, *, free: int, has_moved: bool) -> tuple[float, float]:
        """Return the seconds in which no busy slot changed, and the oldest task's age."""
        is_excused = database.had_outage_since(now - 2 * heartbeat.EVERY_S)
        # Ids, because a reference would keep a request alive that Celery has lost.
        running = {(id(request), getattr(request, "time_start", None)) for request in list(state.active_requests)}
        self._tasks = {task: now if is_excused else self._tasks.get(task, now) for task in running}
        if free > 0 or has_moved or is_excused:
            self._moved_at = now
        return now - self._moved_at, now - min(self._tasks.values(), default=now)

    def _waiting(self) -> int | None:
        # Also shows that a healthy worker consumes these queues.
        from notifications.runtime.heartbeat import SERVED_FOR_S, served_key  # noqa: PLC0415 - Django is set up by now
        from notifications.runtime.redis_client import client  # noqa: PLC0415 - Django is set up by now

        pipeline = client().pipeline(transaction=False)
        for queue in self._queues:
            pipeline.llen(queue)
        for queue in [] if self._found else self._queues:
            pipeline.set(served_key(queue), "1", ex=SERVED_FOR_S)
        try:
            return int(sum(pipeline.execute()[: len(self._queues)]))
        except redis.RedisError:
            return None


class Heartbeat(bootsteps.StartStopStep):
    """Beats from the consumer's timer, once the worker can take tasks.

    Workers of the project's other queues have none: only the project knows how long its tasks may take.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        # A consumer restarts when it loses the broker; its watch and its row stay.
        self.watch: Watch | None = None
        self.row: heartbeat.HeartbeatRow | None = None
        self.timer: Any = None
        super().__init__(consumer, **kwargs)

    def include_if(self, consumer: Any) -> bool:
        return not set(Stream.values).isdisjoint(consumer.app.amqp.queues.consume_from)

    def start(self, consumer: Any) -> None:
        watch = self.watch = self.watch or Watch(consumer)
        if self.row is None:
            self.row = heartbeat.HeartbeatRow(consumer.hostname, lambda: watch.trouble)
            self.row.start()
        watch.turn()
        self.timer = consumer.timer.call_repeatedly(heartbeat.EVERY_S, watch.turn)

    def stop(self, consumer: Any) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        # A worker that shuts down takes no more tasks, which is no trouble.
        if consumer.blueprint.human_state() == "closing":
            self._end()

    def shutdown(self, consumer: Any) -> None:
        self.stop(consumer)
        self._end()
        heartbeat.remove()

    def _end(self) -> None:
        if self.watch:
            self.watch.stop()
        if self.row:
            self.row.stop()
