"""Keep one warm connection per process, thread and provider.

With SES, a new connection costs 109 ms of CPU.
"""

import os
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from django.core.mail.backends.base import BaseEmailBackend

# Routers and load balancers drop connections that have been idle for about a minute. The next send would then look like
# a lost answer.
MAX_IDLE_S = 50.0


@dataclass
class _Warm:
    backend: BaseEmailBackend
    used_at: float


def _close(backend: BaseEmailBackend) -> None:
    with suppress(OSError):
        backend.close()


def _close_kept(kept: dict[str, _Warm], pid: int) -> None:
    if pid == os.getpid():
        for entry in kept.values():
            _close(entry.backend)


class _Kept:
    """One thread's connections, open until the thread ends (the main thread: the process)."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.warm: dict[str, _Warm] = {}
        weakref.finalize(self, _close_kept, self.warm, self.pid)


class _Here(threading.local):
    def __init__(self) -> None:
        self.kept = _Kept()


_here = _Here()


def warm(name: str, connect: Callable[[], BaseEmailBackend]) -> BaseEmailBackend:
    """Return this thread's open backend of provider `name`, or a new one.

    Closes connections of any provider that were idle for more than MAX_IDLE_S.
    """
    kept = _mine()
    now = time.monotonic()
    for idle in [other for other, entry in kept.items() if now - entry.used_at > MAX_IDLE_S]:
        drop(idle)
    entry = kept.get(name)
    if entry is None:
        entry = kept[name] = _Warm(connect(), now)
    entry.backend.open()
    entry.used_at = now
    return entry.backend


def drop(name: str) -> None:
    entry = _mine().pop(name, None)
    if entry is not None:
        _close(entry.backend)


def close_all() -> None:
    for name in list(_mine()):
        drop(name)


def _mine() -> dict[str, _Warm]:
    # A forked child shares its parent's connections, and closing one would end the parent's.
    if _here.kept.pid != os.getpid():
        _here.kept = _Kept()
    return _here.kept.warm
