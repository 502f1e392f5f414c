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

# Flower runs this module when it starts. It asks the workers for their queues only then, and after a power cut it often
# starts before them. So its broker page always lists every queue.

BEAT_S = 5.0

_of_known_workers = BaseHandler.get_active_queue_names


def _queue_names(self: Any) -> list[str]:
    return sorted({*_of_known_workers(self), *Stream.values})


BaseHandler.get_active_queue_names = _queue_names


def _beat() -> None:
    # For the status page. The heartbeat is in Redis, because Flower does not connect to the database.
    pause = threading.Event()
    while True:
        with suppress(redis.RedisError):
            client().set(FLOWER_KEY, "1", ex=SERVED_FOR_S)
        pause.wait(BEAT_S)


if ROLE == Role.FLOWER:
    threading.Thread(target=_beat, name="flower-beat", daemon=True).start()
