"""Flower's configuration, which Flower runs at its start: its broker page lists every queue.

Flower asks workers for their queues once, when it starts, and lists those of the workers that answered. After a power
cut it often starts before them.
"""

from typing import Any

from flower.views import BaseHandler

from notifications.states import Stream

_of_known_workers = BaseHandler.get_active_queue_names


def _queue_names(self: Any) -> list[str]:
    return sorted({*_of_known_workers(self), *Stream.values})


BaseHandler.get_active_queue_names = _queue_names
