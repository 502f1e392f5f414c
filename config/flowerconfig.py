"""Flower's configuration."""

import threading
from contextlib import suppress
from typing import Any

import redis
from flower.views import BaseHandler

from config.environment import ROLE
from notifications.rules.states import Stream
from notifications.runtime.heartbeat import FLOWER_KEY, SERVED_FOR_S
from notifications.runtime.redis_client import client
from notifications.runtime.roles import Role

# Flower runs this module at its start. Its broker page lists every queue. Flower asks workers for their queues once,
# when it starts, and lists those of the workers that answered. After a power cut Flower often starts before the
# workers.

BEAT_S = 5.0

_of_known_workers = BaseHandler.get_active_queue_names


def _queue_names(self: Any) -> list[str]:
    return sorted({*_of_known_workers(self), *Stream.values})


BaseHandler.get_active_queue_names = _queue_names


def _beat() -> None:
    # The status then shows that Flower runs. Flower has no database, unlike the other processes.
    pause = threading.Event()
    while True:
        with suppress(redis.RedisError):
            client().set(FLOWER_KEY, "1", ex=SERVED_FOR_S)
        pause.wait(BEAT_S)


if ROLE == Role.FLOWER:
    threading.Thread(target=_beat, name="flower-beat", daemon=True).start()
