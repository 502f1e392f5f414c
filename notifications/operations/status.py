"""How the whole stands now: what an operator asks first. A handful of statements, whatever the size of the tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, LiteralString

import redis
from django.conf import settings
from django.db import connection

from config.capacity import CONNECTIONS
from config.redis_client import client, pace_key, served_key
from notifications import housekeeping, kinds
from notifications.bounces import enough, must_slow
from notifications.models import bounces
from notifications.models import housekeeping as periodic
from notifications.states import Stream

# Nothing is counted further: an operator needs to know that it is many, and the database has other work.
MOST = 10_000
MOST_CAUSES = 100

_PROCESSES = """
SELECT name, greatest(0, extract(epoch FROM statement_timestamp() - beat_at))::float, trouble,
    greatest(0, extract(epoch FROM statement_timestamp() - started_at))::float
FROM notifications_processheartbeat ORDER BY name
"""
# Read in the order of the relay's index: of a long queue the first ten thousand that the relay will take.
_LANE = """
SELECT count(*) FILTER (WHERE due_at <= statement_timestamp()), count(*) FILTER (WHERE due_at > statement_timestamp()),
    greatest(0, coalesce(extract(epoch FROM statement_timestamp() - min(due_at)), 0))::float
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
# The newest first, so that the last minute is told right however much there was in the hour.
_TRAFFIC = """
SELECT count(*) FILTER (WHERE result = 'accepted' AND recorded_at > statement_timestamp() - interval '1 minute'),
    count(*) FILTER (WHERE result = 'accepted'), count(*) FILTER (WHERE result <> 'accepted'), count(*)
FROM (
    SELECT recorded_at, result FROM notifications_deliveryattempt
    WHERE provider = %s AND recorded_at > statement_timestamp() - interval '1 hour'
    ORDER BY recorded_at DESC LIMIT %s
) AS attempts
"""
# Steps from one cause to the next through the index of dead letters: they are kept for good, their causes are few. Of
# each the newest are counted.
_DEAD = """
WITH RECURSIVE causes (cause) AS (
    (SELECT error_fingerprint FROM notifications_message WHERE status = 'dead' ORDER BY 1 LIMIT 1)
    UNION ALL
    SELECT (
        SELECT error_fingerprint FROM notifications_message
        WHERE status = 'dead' AND error_fingerprint > cause ORDER BY 1 LIMIT 1
    ) FROM causes WHERE cause IS NOT NULL
)
SELECT cause, count(*) FILTER (WHERE died_at > statement_timestamp() - interval '1 hour') AS hour,
    count(*) FILTER (WHERE died_at > statement_timestamp() - interval '1 day') AS day, count(*) AS ever
FROM (SELECT cause FROM causes WHERE cause IS NOT NULL LIMIT %s) AS known, LATERAL (
    SELECT died_at FROM notifications_message
    WHERE status = 'dead' AND error_fingerprint = cause ORDER BY died_at DESC LIMIT %s
) AS newest
GROUP BY cause ORDER BY hour DESC, day DESC, ever DESC, cause
"""
_MISFITS = """
SELECT error_fingerprint, kind, count(*) FROM (
    SELECT error_fingerprint, kind FROM notifications_message
    WHERE status = 'queued' AND error_fingerprint <> '' LIMIT %s
) AS waiting GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""


@dataclass(frozen=True, kw_only=True)
class Process:
    """`silent_s`: seconds since its last heartbeat, `age_s`: since its first. `trouble`: what it said is wrong."""

    name: str
    silent_s: float
    trouble: str
    age_s: float = inf


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One stream. `due` and `later` wait in the database, `published` tasks in the broker.

    `oldest_s`: for how long the oldest of them has been due. `pace`: messages a second that the budget lets go to the
    provider that mail goes to now, None while it holds nothing back. `served`: a healthy worker takes its tasks. What
    the broker knows is None while it does not answer.
    """

    stream: Stream
    due: int
    later: int
    oldest_s: float
    published: int | None
    pace: float | None
    served: bool | None


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """How a provider stands: "closed" (mail goes through), "open" or "probing", and why."""

    provider: str
    state: str
    reason: str = ""
    probes_in_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What a provider took within the last minute and hour, and the hour's attempts that it did not plainly take.

    `more`: there were more attempts in the hour than are counted.
    """

    provider: str
    minute: int
    hour: int
    failed: int
    more: bool


@dataclass(frozen=True, kw_only=True)
class Dead:
    """Dead letters that died of the same: within the last hour, the last 24, and all that are kept."""

    cause: str
    hour: int
    day: int
    ever: int


@dataclass(frozen=True, kw_only=True)
class Brake:
    """How much of the mail to unconfirmed addresses bounced for good within the window, and if it is slowed for that.

    `more`: more was sent than had to be counted. `line_s`: in so many seconds the last that is slowed has its turn.
    """

    on: bool
    bounced: int
    sent: int
    more: bool
    line_s: float
    window_min: int
    per_min: float


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """Queued messages of one kind that wait for a worker of another version, and what the last one found."""

    cause: str
    kind: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Overdue:
    """A periodic job that was last done too long ago: `done_s` is None if it never was. `error`: its last try's."""

    name: str
    every_s: float
    done_s: float | None
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Status:
    """No count goes beyond MOST."""

    processes: Sequence[Process]
    lanes: Sequence[Lane]
    circuits: Sequence[Circuit]
    traffic: Sequence[Traffic]
    sending: int
    # These settle by themselves; those wait for a person.
    uncertain: int
    held: int
    dead: Sequence[Dead]
    brake: Brake
    broker_is_away: bool
    overdue: Sequence[Overdue] = ()
    misfits: Sequence[Misfit] = ()
    # Connections to the database, and how many it allows.
    connections_used: int = 0
    connections_allowed: int = 0


def collect(circuits: Sequence[Circuit]) -> Status:
    """Look at everything. Raises Django's database errors; a broker that is away is a part of the answer."""
    told = _broker(_taking(circuits))
    uncertain, held = _row(_UNCERTAIN, MOST)
    used, allowed = _row(CONNECTIONS)
    return Status(
        processes=[
            Process(name=name, silent_s=silent_s, trouble=trouble, age_s=age_s)
            for name, silent_s, trouble, age_s in _rows(_PROCESSES)
        ],
        lanes=[_lane(stream, told) for stream in Stream],
        circuits=circuits,
        traffic=[_traffic(provider) for provider in settings.EMAIL_PROVIDERS],
        sending=_row(_SENDING, MOST)[0],
        uncertain=uncertain,
        held=held,
        dead=[Dead(cause=c, hour=hour, day=day, ever=ever) for c, hour, day, ever in _rows(_DEAD, MOST_CAUSES, MOST)],
        brake=_brake(),
        broker_is_away=told is None,
        overdue=_overdue(),
        misfits=[Misfit(cause=cause, kind=kind, count=n) for cause, kind, n in _rows(_MISFITS, MOST)],
        connections_used=used,
        connections_allowed=allowed,
    )


def _overdue() -> list[Overdue]:
    known = {standing.name: standing for standing in periodic.standings()}
    return [
        Overdue(
            name=job.name, every_s=job.every_s, done_s=told.done_s if told else None, error=told.error if told else ""
        )
        for job in housekeeping.registered()
        if _is_overdue(job, told := known.get(job.name))
    ]


def _is_overdue(job: housekeeping.Job, told: periodic.Standing | None) -> bool:
    if told is None:
        return True
    if told.done_s is None:
        # Its first run may take its time.
        return bool(told.failures) or (told.tried_s or 0.0) > job.overdue_after_s
    return told.done_s > job.overdue_after_s


def _taking(circuits: Sequence[Circuit]) -> str:
    """Return the provider that mail goes to: the first that takes it."""
    return next((circuit.provider for circuit in circuits if circuit.state == "closed"), settings.EMAIL_PROVIDERS[0])


def _broker(provider: str) -> dict[Stream, tuple[int, bytes | None, int]] | None:
    """Return of each stream the tasks, the provider's pace and whether it is served; None if the broker is away."""
    pipeline = client().pipeline(transaction=False)
    for stream in Stream:
        pipeline.llen(stream.value)
        pipeline.get(pace_key(provider, stream))
        pipeline.exists(served_key(stream))
    try:
        answers = iter(pipeline.execute())
    except redis.RedisError:
        return None
    return dict(zip(Stream, zip(answers, answers, answers, strict=True), strict=True))


def _lane(stream: Stream, told: dict[Stream, tuple[int, bytes | None, int]] | None) -> Lane:
    due, later, oldest_s = _row(_LANE, stream.value, MOST)
    published, pace, served = told[stream] if told else (None, None, None)
    return Lane(
        stream=stream,
        due=due,
        later=later,
        oldest_s=oldest_s,
        published=published,
        pace=None if pace is None else float(pace),
        served=None if served is None else bool(served),
    )


def _traffic(provider: str) -> Traffic:
    minute, hour, failed, attempts = _row(_TRAFFIC, provider, MOST)
    return Traffic(provider=provider, minute=minute, hour=hour, failed=failed, more=attempts >= MOST)


def _brake() -> Brake:
    counted, limits = bounces.figures(kinds.unproven()), bounces.limits()
    return Brake(
        on=must_slow(counted, limits),
        bounced=counted.bounced,
        sent=counted.sent,
        more=bool(counted.bounced) and counted.sent >= enough(counted.bounced, limits),
        line_s=counted.line_s,
        window_min=settings.BOUNCE_BRAKE_WINDOW_MIN,
        per_min=settings.BOUNCE_BRAKE_PER_MIN,
    )


def _row(statement: LiteralString, *values: str | int) -> tuple[Any, ...]:
    (row,) = _rows(statement, *values)
    return row


def _rows(statement: LiteralString, *values: str | int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
