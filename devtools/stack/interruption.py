"""Ctrl-C, as whoever starts a stack wants it."""

import signal
import threading


def interrupt_once() -> threading.Event:
    """Let SIGINT and SIGTERM raise KeyboardInterrupt in the main thread once; return what is set from then on.

    The stop that follows is under way and must not be cut off by another one.
    """
    interrupted = threading.Event()

    def interrupt(*_: object) -> None:
        if not interrupted.is_set():
            interrupted.set()
            raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    return interrupted
