"""A worker's consumer that reconnects soon, and sends events together."""

import logging
import time
from typing import Any

from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown

from notifications.runtime import heartbeat

# Celery's consumer waits 2 s, 4 s … 30 s between its tries, and no setting limits that. If the tries are limited, the
# worker ends, and restarting workers takes CPU from web requests.

logger = logging.getLogger(__name__)

PAUSE_S = 1
# How long events of tasks wait for others. Celery would send those of each task, which costs as much as its receipt.
EVENTS_S = 0.25


class PersistentConsumer(Consumer):
    hub: Any
    _is_flush_due = False

    def on_send_event_buffered(self) -> None:  # type: ignore[override] # the stubs are wrong
        # Called by all threads, but only the loop's may set timers. If two call it together, one flush finds nothing.
        if self.hub and not self._is_flush_due:
            self._is_flush_due = True
            self.hub.call_soon(self.hub.call_later, EVENTS_S, self._flush_events)

    def _flush_events(self) -> None:
        self._is_flush_due = False
        super()._flush_events()  # type: ignore[misc] # not in the stubs

    def shutdown(self) -> None:
        # After the last task has ended.
        self._flush_events()
        super().shutdown()

    def ensure_connected(self, conn: Any) -> Any:
        """Return the open connection. Raises WorkerShutdown if the worker shuts down first."""

        def log(error: Exception, interval_s: float) -> None:
            logger.warning("the broker is not answering (%s); retrying in %g s", type(error).__name__, interval_s)
            # The watch has not started yet, and a probe must not restart a worker that waits for the broker.
            heartbeat.touch()

        return conn.ensure_connection(
            log, None, interval_start=PAUSE_S, interval_step=0, interval_max=PAUSE_S, callback=maybe_shutdown
        )

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        # A replica and a full broker accept connections and refuse commands.
        super().on_connection_error_before_connected(exc)
        heartbeat.touch()
        time.sleep(PAUSE_S)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        # An error in the loop may have lost what was due.
        self._is_flush_due = False
        consumer = getattr(self, "task_consumer", None)  # what a later step of the worker sets
        lost = consumer.channel if consumer else None
        try:
            super().on_connection_error_after_connected(exc)
        except AttributeError:
            # kombu 5.7 drops its client before it closes the connection, and then uses the client to return
            # unacknowledged tasks. The broker redelivers these tasks, or the relay publishes them.
            logger.warning("closing the lost connection to the broker failed")
        if lost:
            # A later acknowledgement over the dropped client would fail and end the worker.
            lost.basic_ack = _ignore
        time.sleep(PAUSE_S)


def _ignore(*_args: Any, **_kwargs: Any) -> None:
    # The broker may deliver the task again. Then its claim fails.
    ...
