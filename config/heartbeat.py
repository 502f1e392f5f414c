"""A file whose age says whether a process still turns: `inspect ping` costs half a second of CPU at every probe.

A worker whose slots are all busy stays fresh; one that is stopped, or has lost the broker, does not.
"""

import os
from pathlib import Path
from typing import Any

from celery import bootsteps

EVERY_S = 5.0


def path() -> Path | None:
    """The file named by MAILROOM_HEARTBEAT_FILE, or None where nobody asks for a heartbeat."""
    name = os.environ.get("MAILROOM_HEARTBEAT_FILE")
    return Path(name) if name else None


def touch() -> None:
    if file := path():
        file.touch()


def remove() -> None:
    if file := path():
        file.unlink(missing_ok=True)


class Heartbeat(bootsteps.StartStopStep):
    """Beats from the consumer's own timer, once it can take tasks."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        self.timer: Any = None
        super().__init__(consumer, **kwargs)

    def start(self, consumer: Any) -> None:
        touch()
        self.timer = consumer.timer.call_repeatedly(EVERY_S, touch)

    def stop(self, consumer: Any) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def shutdown(self, consumer: Any) -> None:
        self.stop(consumer)
        remove()
