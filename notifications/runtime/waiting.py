"""Pass the backlog in PostgreSQL to Flower, which does not connect to the database.

Beat writes it to Redis.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from notifications.runtime.redis_client import client

KEY = "mailroom:waiting"
# Counts that beat no longer renews are not shown.
SHOWN_FOR_S = 60
#: The highest count.
MOST = 10_000


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The messages of one stream that are in no queue of the broker."""

    stream: str
    due: int
    later: int


def write(counts: Sequence[Waiting]) -> None:
    """Raise redis.RedisError if it fails."""
    client().set(KEY, json.dumps([asdict(each) for each in counts]), ex=SHOWN_FOR_S)


def read() -> list[Waiting]:
    """Return the counts, none if they are too old. Raises redis.RedisError."""
    counts = json.loads(client().get(KEY) or "[]")
    return [Waiting(stream=each["stream"], due=each["due"], later=each["later"]) for each in counts]
