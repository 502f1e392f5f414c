"""A worker's consumer that reconnects a second or two after its broker returns."""

import logging
import time
from typing import Any

from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown

from notifications.runtime import heartbeat

# Celery's own consumer waits 2 s, 4 s … 30 s between its tries, and no setting bounds that. With a limit to the tries
# the worker ends, and starting workers again takes the processor away from web requests.

logger = logging.getLogger(__name__)

PAUSE_S = 1


class PersistentConsumer(Consumer):
    def ensure_connected(self, conn: Any) -> Any:
        """Return the open connection. Raises WorkerShutdown if the worker is to end before."""

        def say(error: Exception, interval_s: float) -> None:
            logger.warning("the broker is away (%s); trying again in %g s", type(error).__name__, interval_s)
            # Also at the start, when nobody watches yet: a probe must not restart what waits for the broker.
            heartbeat.touch()

        return conn.ensure_connection(
            say, None, interval_start=PAUSE_S, interval_step=0, interval_max=PAUSE_S, callback=maybe_shutdown
        )

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        # A replica and a full broker accept connections and refuse what comes next.
        super().on_connection_error_before_connected(exc)
        heartbeat.touch()
        time.sleep(PAUSE_S)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        consumer = getattr(self, "task_consumer", None)  # what a later step of the worker sets
        lost = consumer.channel if consumer else None
        try:
            super().on_connection_error_after_connected(exc)
        except AttributeError:
            # kombu 5.7 collects the connection and then closes it, which gives unacknowledged tasks back over the
            # client that it has just thrown away. They are delivered again, or carried by the relay.
            logger.warning("the lost connection to the broker could not be closed in order")
        if lost:
            # A task that ends later would be acknowledged over that same client, and its error would end the worker.
            lost.basic_ack = _say_nothing
        time.sleep(PAUSE_S)


def _say_nothing(*_args: Any, **_kwargs: Any) -> None:
    # The broker has forgotten that it gave the task out, or gives it out again: the row knows what is done.
    ...
