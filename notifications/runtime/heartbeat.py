"""Show that a process works: touch a file for probes, update a row for operators."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from django.db import Error, connection

from notifications.runtime import database

# Not `inspect ping`, which costs half a second of CPU per probe. The file stays fresh while all slots of a worker are
# busy, and during a broker outage, when a restart would not help. It grows old if the worker stops or takes no tasks.

logger = logging.getLogger(__name__)

# Workers report every 5 seconds.
SERVED_FOR_S = 20
# Exists while Flower runs.
FLOWER_KEY = "mailroom:flower"

EVERY_S = 5.0
STOP_WITHIN_S = 3.0
# The row of a process without a heartbeat is deleted after this: the process was removed.
DELETE_AFTER_H = 1
# Nothing is lost with a heartbeat, so no process waits for the disk every few seconds.
_BEAT = """
WITH settings AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)), removed AS (
    DELETE FROM notifications_processheartbeat
    WHERE beat_at < statement_timestamp() - %(hours)s * interval '1 hour' AND name <> %(name)s
)
INSERT INTO notifications_processheartbeat (name, beat_at, trouble)
SELECT %(name)s, statement_timestamp(), %(trouble)s FROM settings
ON CONFLICT (name) DO UPDATE SET beat_at = EXCLUDED.beat_at, trouble = EXCLUDED.trouble
"""


def path() -> Path | None:
    # MAILROOM_HEARTBEAT_FILE, if it is set.
    name = os.environ.get("MAILROOM_HEARTBEAT_FILE")
    return Path(name) if name else None


def touch() -> None:
    if file := path():
        file.touch()


def remove() -> None:
    if file := path():
        file.unlink(missing_ok=True)


def name_of(process: str) -> str:
    # As Celery names processes.
    return f"{process}@{socket.gethostname()}"


class HeartbeatRow:
    """Keep a process's row fresh from a thread.

    The thread keeps a hung database from delaying the process. It calls `trouble`, which returns the error that keeps
    the process from its work, or "", and must not raise.
    """

    def __init__(self, name: str, trouble: Callable[[], str]) -> None:
        self.name = name
        self._trouble = trouble
        self._stop = threading.Event()
        self._written = True
        self._thread = threading.Thread(target=self._run, name="heartbeat-row", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        # Deletes the row. Does not wait for a database that does not answer; then the row grows old.
        self._stop.set()
        self._thread.join(STOP_WITHIN_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._write(lambda: beat(self.name, self._trouble()))
            self._stop.wait(EVERY_S)
        self._write(lambda: delete_row(self.name))

    def _write(self, act: Callable[[], None]) -> None:
        before, self._written = self._written, True
        try:
            act()
        except Error as error:
            self._written = False
            if before:
                logger.warning("the heartbeat of %s could not be stored (%s)", self.name, database.error_name(error))
        finally:
            database.drop_connection()


def beat(name: str, trouble: str = "") -> None:
    """Record that the process works, or its `trouble`. Raises database errors."""
    with connection.cursor() as cursor:
        cursor.execute(_BEAT, {"name": name[:200], "trouble": trouble[:200], "hours": DELETE_AFTER_H})


def delete_row(name: str) -> None:
    """Delete the row of a process that shuts down. Raises database errors."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM notifications_processheartbeat WHERE name = %s", [name[:200]])


def served_key(queue: str) -> str:
    # Exists while a healthy worker consumes the queue.
    return f"mailroom:served:{queue}"
