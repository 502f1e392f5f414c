"""The pauses in force, as this process read them last: at most READ_EVERY_S old."""

import math
import time
from threading import Lock

from django.db import Error

from notifications.models import Pause
from notifications.runtime.database import is_outage

# For what asks often and may be a moment late: routing, and the note on the admin's pages. Claiming and publishing ask
# PostgreSQL in their statements (`models.pause`).

READ_EVERY_S = 1.0

_reading = Lock()
# Both are replaced as a whole, so other threads may read them at any time.
_seen: tuple[Pause, ...] = ()
_read_at = -math.inf


def in_force() -> tuple[Pause, ...]:
    """Return the pauses in force, oldest first. While the database fails, return the last known."""
    # Other threads do not wait for the one that reads, except for the first answer.
    if time.monotonic() - _read_at >= READ_EVERY_S and _reading.acquire(blocking=_read_at == -math.inf):
        try:
            _read()
        finally:
            _reading.release()
    return _seen


def paused_providers() -> frozenset[str]:
    """Return the names of the paused providers."""
    return frozenset(pause.name for pause in in_force() if pause.what == Pause.What.PROVIDER)


def forget() -> None:
    """Read again at the next question: this process has just changed a pause."""
    global _read_at  # noqa: PLW0603 - one per process
    _read_at = -math.inf


def _read() -> None:
    global _seen, _read_at  # noqa: PLW0603 - one per process
    began = time.monotonic()
    if began - _read_at < READ_EVERY_S:
        # Another thread was faster.
        return
    try:
        _seen = tuple(Pause.objects.in_force())
    except Error as error:
        if not is_outage(error):
            raise
    _read_at = began
