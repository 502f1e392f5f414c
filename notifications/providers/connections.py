"""One warm connection per process, thread and provider: opening one for every mail costs SES 109 ms of CPU each."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.core.mail.backends.base import BaseEmailBackend

# Routers and load balancers drop silent connections from about a minute on, and the next send would look like a lost
# answer.
MAX_IDLE_S = 50.0


@dataclass
class _Warm:
    backend: BaseEmailBackend
    used_at: float


class _Cache(threading.local):
    def __init__(self) -> None:
        self.backends: dict[tuple[int, str], _Warm] = {}


_cache = _Cache()


def warm(name: str, connect: Callable[[], BaseEmailBackend]) -> BaseEmailBackend:
    """Return this thread's open backend of provider `name`, made with `connect` where there is none fit for use.

    The process is part of the key: a connection inherited over a fork would be shared.
    """
    key = (os.getpid(), name)
    now = time.monotonic()
    entry = _cache.backends.get(key)
    if entry is not None and now - entry.used_at > MAX_IDLE_S:
        entry.backend.close()
        entry = None
    if entry is None:
        entry = _Warm(connect(), now)
        entry.backend.open()
        _cache.backends[key] = entry
    entry.used_at = now
    return entry.backend


def close_all() -> None:
    """Close this thread's connections."""
    for entry in _cache.backends.values():
        entry.backend.close()
    _cache.backends.clear()
