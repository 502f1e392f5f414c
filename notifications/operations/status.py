"""How the whole stands now: what an operator asks first. A handful of statements, whatever the size of the tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

import redis
from django.conf import settings
from django.db import connection
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from notifications.models import ProcessHeartbeat
from notifications.redis_client import client
from notifications.states import Stream

# Nothing is counted further: an operator needs to know that it is many, and the database has other work.
MOST = 10_000
TOP_ERRORS = 5

# Read in the order of the relay's index: of a long queue the first ten thousand that the relay will take.
_LANE = """
SELECT count(*) FILTER (WHERE due_at <= statement_timestamp()), count(*) FILTER (WHERE due_at > statement_timestamp()),
    coalesce(extract(epoch FROM statement_timestamp() - min(due_at))::float, 0)
FROM (
    SELECT due_at FROM notifications_message
    WHERE status = 'queued' AND stream = %s ORDER BY relay_after LIMIT %s
) AS waiting
"""
_SENDING = "SELECT count(*) FROM (SELECT FROM notifications_message WHERE status = 'sending' LIMIT %s) AS found"
_UNCERTAIN = """
SELECT count(settle_at), count(*) - count(settle_at) FROM (
    SELECT settle_at FROM notifications_message WHERE status = 'uncertain' LIMIT %s
) AS found
"""
_SENT = """
SELECT count(*) FROM (
    SELECT FROM notifications_deliveryattempt
    WHERE provider = %s AND recorded_at > statement_timestamp() - interval '1 minute' AND result = 'accepted' LIMIT %s
) AS found
"""
_DEAD = """
SELECT error_fingerprint, count(*), count(*) FILTER (WHERE died_at > statement_timestamp() - interval '1 hour') AS fresh
FROM (SELECT error_fingerprint, died_at FROM notifications_message WHERE status = 'dead' LIMIT %s) AS found
GROUP BY 1 ORDER BY fresh DESC, 2 DESC, 1
"""


@dataclass(frozen=True, kw_only=True)
class Process:
    """`silent_s`: seconds since it last said that it turns. `trouble`: what it said is wrong, or nothing."""

    name: str
    silent_s: float
    trouble: str


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One stream. `due` and `later` wait in the database, `published` tasks in the broker (None: it does not answer).

    `oldest_s`: for how long the oldest of them has been due.
    """

    stream: Stream
    due: int
    later: int
    oldest_s: float
    published: int | None


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """How a provider stands: "closed" (mail goes through), "open" or "probing", and why."""

    provider: str
    state: str
    reason: str = ""
    probes_in_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Dead:
    """Dead letters that died of the same."""

    fingerprint: str
    count: int
    within_the_hour: int


@dataclass(frozen=True, kw_only=True)
class Status:
    """No count goes beyond MOST. `sent_per_minute`: by provider."""

    processes: Sequence[Process]
    lanes: Sequence[Lane]
    circuits: Sequence[Circuit]
    sending: int
    # These settle by themselves; those wait for a person.
    uncertain: int
    held: int
    dead: Sequence[Dead]
    sent_per_minute: dict[str, int]
    broker_is_away: bool


def collect(circuits: Sequence[Circuit]) -> Status:
    """Look at everything. Raises Django's database errors; a broker that is away is a part of the answer."""
    depths = _depths()
    uncertain, held = _row(_UNCERTAIN, MOST)
    return Status(
        processes=_processes(),
        lanes=[_lane(stream, depths[number]) for number, stream in enumerate(Stream)],
        circuits=circuits,
        sending=_row(_SENDING, MOST)[0],
        uncertain=uncertain,
        held=held,
        dead=_dead(),
        sent_per_minute={provider: _row(_SENT, provider, MOST)[0] for provider in settings.EMAIL_PROVIDERS},
        broker_is_away=None in depths,
    )


def _depths() -> list[int | None]:
    try:
        pipeline = client().pipeline(transaction=False)
        for stream in Stream:
            pipeline.llen(stream.value)
        return list(pipeline.execute())
    except redis.RedisError:
        return [None] * len(Stream)


def _lane(stream: Stream, published: int | None) -> Lane:
    due, later, oldest_s = _row(_LANE, stream.value, MOST)
    return Lane(stream=stream, due=due, later=later, oldest_s=max(0.0, oldest_s), published=published)


def _processes() -> list[Process]:
    silence = ExpressionWrapper(Now() - F("beat_at"), output_field=DurationField())
    rows = ProcessHeartbeat.objects.annotate(silence=silence).values_list("name", "silence", "trouble")
    return [
        Process(name=name, silent_s=max(0.0, silent.total_seconds()), trouble=trouble) for name, silent, trouble in rows
    ]


def _dead() -> list[Dead]:
    with connection.cursor() as cursor:
        cursor.execute(_DEAD, [MOST])
        return [
            Dead(fingerprint=fingerprint, count=count, within_the_hour=fresh)
            for fingerprint, count, fresh in cursor.fetchall()
        ]


def _row(statement: LiteralString, *values: str | int) -> tuple[int, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone() or ()
