"""A thread that repeats one piece of work until it is stopped."""

import threading
import time
from abc import ABC, abstractmethod
from typing import ClassVar

from notifications.runtime.database import drop_connection
from notifications.runtime.troubles import describe

STOP_WAIT_S = 5.0


class Repeating(ABC):
    """Calls `turn` again and again. `trouble` is what prevents it, or empty."""

    name: ClassVar[str]
    #: The troubles if the thread has ended, and if one turn takes longer than `slow_after_s`.
    ended: ClassVar[str]
    slow: ClassVar[str]
    slow_after_s: ClassVar[float]

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.failure = ""
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._turned_at = time.monotonic()

    @abstractmethod
    def turn(self) -> float:
        """Do one piece of work; return the seconds until the next, and note a `failure`. Raises nothing."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        # Waits for the current turn, but at most STOP_WAIT_S.
        self.stopping.set()
        self._thread.join(STOP_WAIT_S)

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    @property
    def is_slow(self) -> bool:
        return self.is_running and self._still_s > self.slow_after_s

    @property
    def trouble(self) -> str:
        if not self.is_running:
            return self.ended
        return describe(self.slow, self._still_s) if self.is_slow else self.failure

    @property
    def _still_s(self) -> float:
        return time.monotonic() - self._turned_at

    def _run(self) -> None:
        while not self.stopping.is_set():
            pause_s = self.turn()
            self._turned_at = time.monotonic()
            self.stopping.wait(pause_s)
        drop_connection()
