"""A thread that reads providers' events, independent of publishing."""

import logging
import threading
import time

from django.db import Error

from notifications.conf import settings
from notifications.events import apply
from notifications.runtime.database import drop_connection, error_name, is_outage
from notifications.runtime.troubles import READER_ENDED, READING_SLOW, describe

logger = logging.getLogger(__name__)

# The pause after a failed database.
PAUSE_S = 1.0
# A query that finds nothing reads only a small index.
IDLE_S = 0.2
LONG_READING_S = 15.0
STOP_WAIT_S = 5.0


class Reader:
    """Reads batch after batch until it is stopped. `trouble` is the error that prevents it, or empty."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event-reader", daemon=True)
        self._limit = apply.BATCH
        self._finished_at = time.monotonic()
        self._failure = ""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        # Waits for the current batch, but at most STOP_WAIT_S.
        self._stop.set()
        self._thread.join(STOP_WAIT_S)

    @property
    def trouble(self) -> str:
        still_s = time.monotonic() - self._finished_at
        if not self._thread.is_alive():
            return READER_ENDED
        return describe(READING_SLOW, still_s) if still_s > LONG_READING_S else self._failure

    def _run(self) -> None:
        while not self._stop.is_set():
            pause_s = self.read()
            self._finished_at = time.monotonic()
            self._stop.wait(pause_s)
        drop_connection()

    def read(self) -> float:
        """Read one batch and return the seconds until the next. Raises nothing."""
        try:
            read = apply.read_due(self._limit)
        except Error as error:
            return self._failed(error_name(error), away=is_outage(error))
        except Exception as error:  # the thread's outermost edge: it continues, and `trouble` reports the error
            logger.exception("provider events cannot be read")
            return self._failed(type(error).__name__, away=False)
        if read:
            logger.info("events read: %s", dict(read))
        full = read.total() >= self._limit
        self._failure, self._limit = "", apply.BATCH
        # A full batch means that more are waiting.
        return 0.0 if full else min(IDLE_S, float(settings.RELAY_INTERVAL_S))

    def _failed(self, name: str, *, away: bool) -> float:
        # A batch that the database refuses is halved until its one bad event is set aside.
        logger.warning("provider events cannot be read now (%s)", name)
        drop_connection()
        self._failure = f"provider events cannot be read: {name}"
        if away:
            return PAUSE_S
        if self._limit > 1:
            self._limit //= 2
            return 0.0
        return self._set_aside(name)

    def _set_aside(self, name: str) -> float:
        try:
            apply.set_aside_first(name)
        except Error as error:
            logger.warning("an event cannot be set aside (%s)", error_name(error))
            drop_connection()
        return PAUSE_S
