"""Threads that call the receivers of `message_changed`, independent of publishing."""

import logging

from django.db import Error, close_old_connections

from notifications.changes.dispatch import BATCH, dispatch, receivers_in_call
from notifications.runtime.database import drop_connection, error_name
from notifications.runtime.repeating import Repeating
from notifications.runtime.troubles import DISPATCHER_ENDED, RECEIVER_SLOW

logger = logging.getLogger(__name__)

# A query that finds nothing reads only a small index.
IDLE_S = 0.5
# The pause after a failed database.
PAUSE_S = 1.0
#: The current thread, and those whose receiver does not return.
MOST_THREADS = 5


class _Thread(Repeating):
    name = "change-dispatcher"
    ended, slow, slow_after_s = DISPATCHER_ENDED, RECEIVER_SLOW, 30.0

    def turn(self) -> float:
        try:
            handled = dispatch(self.stopping.is_set)
        except Exception as error:  # the thread's outermost edge: it continues whatever happens
            if isinstance(error, Error):
                logger.warning("changes cannot be read now (%s)", error_name(error))
            else:
                logger.exception("changes cannot be dispatched")
            drop_connection()
            self.failure = f"changes cannot be dispatched: {error_name(error)}"
            return PAUSE_S
        if handled:
            # Those that receivers have used, of any database.
            close_old_connections()
        self.failure = ""
        return 0.0 if handled == BATCH else IDLE_S


class Dispatcher:
    """Handles changes until it is stopped. `trouble` is what prevents it, or empty."""

    def __init__(self) -> None:
        self._threads = [_Thread()]

    def start(self) -> None:
        self._threads[-1].start()

    def stop(self) -> None:
        # A receiver that does not return in time is called again later.
        for thread in self._threads:
            thread.stopping.set()
        self._threads[-1].stop()

    @property
    def trouble(self) -> str:
        return next(filter(None, (thread.trouble for thread in self._threads)), "")

    def leave_slow(self) -> None:
        """Continue in another thread if a receiver does not return. Call it regularly.

        The thread of that receiver ends when it does. There are at most MOST_THREADS, so receivers that never return
        stop the others in the end: `trouble` reports the first one.
        """
        *left, current = self._threads
        self._threads = [*(thread for thread in left if thread.is_running), current]
        if current.is_slow and len(self._threads) < MOST_THREADS:
            logger.error(
                "%s does not return; another thread continues", ", ".join(receivers_in_call()) or "a statement"
            )
            current.stopping.set()
            self._threads.append(_Thread())
            self.start()
