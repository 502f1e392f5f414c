"""A thread that reads providers' events, independent of publishing."""

import logging

from django.db import Error

from notifications.conf import settings
from notifications.events import apply
from notifications.runtime.database import drop_connection, error_name, is_outage
from notifications.runtime.repeating import Repeating
from notifications.runtime.troubles import READER_ENDED, READING_SLOW

logger = logging.getLogger(__name__)

# The pause after a failed database.
PAUSE_S = 1.0
# A query that finds nothing reads only a small index.
IDLE_S = 0.2


class Reader(Repeating):
    name = "event-reader"
    ended, slow, slow_after_s = READER_ENDED, READING_SLOW, 15.0

    def __init__(self) -> None:
        super().__init__()
        self._limit = apply.BATCH

    def turn(self) -> float:
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
        self.failure, self._limit = "", apply.BATCH
        # A full batch means that more are waiting.
        return 0.0 if full else min(IDLE_S, float(settings.RELAY_INTERVAL_S))

    def _failed(self, name: str, *, away: bool) -> float:
        # A batch that the database refuses is halved until its one bad event is set aside.
        logger.warning("provider events cannot be read now (%s)", name)
        drop_connection()
        self.failure = f"provider events cannot be read: {name}"
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
