"""Read the queues of the broker."""

import base64
import json
from uuid import UUID, uuid4

import redis

from notifications.models.transitions import Changed
from notifications.rules.states import Stream


def queued(kind="welcome"):
    """Return something to publish."""
    return Changed(id=uuid4(), kind=kind)


def published_ids(url):
    """Return the ids of all messages that wait in the queues."""
    with redis.Redis.from_url(url) as client:
        tasks = [json.loads(raw) for stream in Stream for raw in client.lrange(stream.value, 0, -1)]
    bodies = [json.loads(base64.b64decode(task["body"])) for task in tasks]
    return {UUID(raw) for arguments, *_ in bodies for raw in arguments[0]}
