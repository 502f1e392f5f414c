"""A worker's heartbeat, and who watches whether it works."""

import logging
import threading
import time
from datetime import timedelta
from typing import Any

import redis
from celery import bootsteps
from celery.worker import state

from config import heartbeat, watchdog

logger = logging.getLogger(__name__)
# Beat's most frequent task is due several times as often.
BEAT_PATIENCE = timedelta(seconds=120)


class Watch:
    """One worker, as far as it can be seen from inside. Looks every few seconds, from a thread of its own."""

    def __init__(self, consumer: Any) -> None:
        # As started: a consumer that was cancelled by mistake does not name its queues any more.
        self._queues = list(consumer.app.amqp.queues.consume_from)
        self._slots = int(consumer.pool.num_processes or 1)
        self._taken = -1
        self._busy_at = time.monotonic()
        self.turned_at = time.monotonic()
        self.trouble = ""
        self._stop = threading.Event()
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            before, self.trouble = self.trouble, watchdog.trouble(self.look())
            if self.trouble and self.trouble != before:
                logger.error("this worker is unhealthy: %s", self.trouble)
            if not self.trouble:
                heartbeat.touch()
            self._stop.wait(heartbeat.EVERY_S)

    def look(self) -> watchdog.Seen:
        now, waiting, taken = time.monotonic(), self._waiting(), sum(state.total_count.values())
        if taken != self._taken or waiting == 0:
            self._taken, self._busy_at = taken, now
        return watchdog.Seen(
            waiting=waiting,
            free=self._slots - len(state.active_requests),
            idle_s=now - self._busy_at,
            still_s=now - self.turned_at,
        )

    def _waiting(self) -> int | None:
        from notifications.redis_client import client  # noqa: PLC0415 - Django is only set up by now

        try:
            return sum(int(client().llen(queue)) for queue in self._queues)
        except redis.RedisError:
            return None


class Heartbeat(bootsteps.StartStopStep):
    """Has the consumer's own timer say that it turns, once it can take tasks."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    # A consumer starts anew whenever it has lost the broker; who watches it stays.
    watch: Watch | None = None
    row: heartbeat.Row | None = None

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        self.timer: Any = None
        super().__init__(consumer, **kwargs)

    def start(self, consumer: Any) -> None:
        if Heartbeat.watch is None or Heartbeat.row is None:
            watch = Heartbeat.watch = Watch(consumer)
            Heartbeat.row = heartbeat.Row(consumer.hostname, lambda: watch.trouble)
            Heartbeat.row.start()
        self._turn()
        self.timer = consumer.timer.call_repeatedly(heartbeat.EVERY_S, self._turn)

    def stop(self, consumer: Any) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def shutdown(self, consumer: Any) -> None:
        self.stop(consumer)
        if Heartbeat.watch:
            Heartbeat.watch.stop()
        if Heartbeat.row:
            Heartbeat.row.stop()
        heartbeat.remove()

    def _turn(self) -> None:
        if Heartbeat.watch:
            Heartbeat.watch.turned_at = time.monotonic()


def beat_trouble(scheduler: Any) -> str:
    """Return what is wrong with beat, in one sentence; empty if nothing is."""
    entries = list(scheduler.schedule.values())
    if any(entry.default_now() - entry.last_run_at < BEAT_PATIENCE for entry in entries):
        return ""
    return f"it has sent nothing for {BEAT_PATIENCE.seconds} s"
