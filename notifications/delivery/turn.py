"""Let one thread of a process at a time prepare a batch."""

from threading import Lock
from types import TracebackType

from notifications.runtime.database import drop_connection

# Python runs one thread at a time. Preparing a batch is almost only computing, so several together are not faster, and
# a password reset in another thread would wait for each of them again and again.
_computing = Lock()


class Turn:
    """One task's turn. `end` before a call to the provider: that only waits."""

    def __init__(self) -> None:
        self._is_mine = False

    def __enter__(self) -> None:
        if not _computing.acquire(blocking=False):
            # A process has fewer connections than threads: those that wait must not keep the one that has the turn from
            # getting one.
            drop_connection()
            _computing.acquire()
        self._is_mine = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def end(self) -> None:
        # Does nothing if it has ended already.
        if self._is_mine:
            self._is_mine = False
            _computing.release()
