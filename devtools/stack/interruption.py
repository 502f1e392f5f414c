"""Ctrl-C for commands that start a stack."""

import signal
import threading


def interrupt_once() -> threading.Event:
    """Let SIGINT and SIGTERM raise KeyboardInterrupt once, and return an event that they set.

    A second signal must not interrupt the stop that follows.
    """
    interrupted = threading.Event()

    def interrupt(*_: object) -> None:
        if not interrupted.is_set():
            interrupted.set()
            raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    return interrupted
