"""Collect the status of the system. The number and cost of the queries do not depend on the size of the tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import redis
from django.db import connection

from notifications import housekeeping, kinds
from notifications.bounce_brake import counts
from notifications.bounce_brake.decision import decisive_count, must_slow
from notifications.breaker import permits
from notifications.breaker.permits import CircuitState
from notifications.budget.keys import pace_key, state_key
from notifications.conf import settings
from notifications.models import DeliveryAttempt
from notifications.models import housekeeping as periodic
from notifications.operations.figures import Brake, Dead, Lane, Misfit, Overdue, ProcessState, SystemStatus, Traffic
from notifications.operations.wording import grouped
from notifications.providers.registry import webhook_of
from notifications.rules.states import STATUSES, Stream
from notifications.runtime.connections import USED_AND_ALLOWED
from notifications.runtime.heartbeat import FLOWER_KEY, served_key
from notifications.runtime.redis_client import client

# The highest count. An operator needs no exact number above it.
MOST = 10_000
MOST_CAUSES = 100

_PROCESSES = """
SELECT name, greatest(0, extract(epoch FROM statement_timestamp() - beat_at))::float, trouble,
    greatest(0, extract(epoch FROM statement_timestamp() - started_at))::float
FROM notifications_processheartbeat ORDER BY name
"""
# In the order of the relay's index: of a long queue, the messages that the relay publishes first.
_LANE = """
SELECT count(*) FILTER (WHERE due_at <= statement_timestamp()), count(*) FILTER (WHERE due_at > statement_timestamp()),
    greatest(0, coalesce(extract(epoch FROM statement_timestamp() - min(due_at)), 0))::float
FROM (
    SELECT due_at FROM notifications_message
    WHERE status = %(queued)s AND stream = %(stream)s ORDER BY relay_after LIMIT %(most)s
) AS waiting
"""
_SENDING = "SELECT count(*) FROM (SELECT FROM notifications_message WHERE status = %(sending)s LIMIT %(most)s) AS found"
_UNCERTAIN = """
SELECT count(settle_at), count(*) - count(settle_at) FROM (
    SELECT settle_at FROM notifications_message WHERE status = %(uncertain)s LIMIT %(most)s
) AS found
"""
# Newest first, so that the last minute is right however many attempts the hour had.
_TRAFFIC = """
SELECT count(*) FILTER (WHERE result = %(accepted)s AND recorded_at > statement_timestamp() - interval '1 minute'),
    count(*) FILTER (WHERE result = %(accepted)s), count(*) FILTER (WHERE result <> %(accepted)s), count(*),
    count(*) FILTER (WHERE result = %(accepted)s AND recorded_at < statement_timestamp() - interval '15 minutes')
FROM (
    SELECT recorded_at, result FROM notifications_deliveryattempt
    WHERE provider = %(provider)s AND recorded_at > statement_timestamp() - interval '1 hour'
    ORDER BY recorded_at DESC LIMIT %(most)s
) AS attempts
"""
_REPORTING = """
SELECT DISTINCT provider FROM (
    SELECT provider FROM notifications_providerevent
    WHERE received_at > statement_timestamp() - interval '1 hour' ORDER BY received_at DESC LIMIT %(most)s
) AS newest
"""
# Steps from one cause to the next through the index of dead letters, because these are kept and their causes are few.
# Counts the newest of each.
_DEAD = """
WITH RECURSIVE causes (cause) AS (
    (SELECT error_fingerprint FROM notifications_message WHERE status = %(dead)s ORDER BY 1 LIMIT 1)
    UNION ALL
    SELECT (
        SELECT error_fingerprint FROM notifications_message
        WHERE status = %(dead)s AND error_fingerprint > cause ORDER BY 1 LIMIT 1
    ) FROM causes WHERE cause IS NOT NULL
)
SELECT cause, count(*) FILTER (WHERE died_at > statement_timestamp() - interval '1 hour') AS hour,
    count(*) FILTER (WHERE died_at > statement_timestamp() - interval '1 day') AS day, count(*) AS ever
FROM (SELECT cause FROM causes WHERE cause IS NOT NULL LIMIT %(most_causes)s) AS known, LATERAL (
    SELECT died_at FROM notifications_message
    WHERE status = %(dead)s AND error_fingerprint = cause ORDER BY died_at DESC LIMIT %(most)s
) AS newest
GROUP BY cause ORDER BY hour DESC, day DESC, ever DESC, cause
"""
_MISFITS = """
SELECT error_fingerprint, kind, count(*) FROM (
    SELECT error_fingerprint, kind FROM notifications_message
    WHERE status = %(queued)s AND error_fingerprint <> '' LIMIT %(most)s
) AS waiting GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""


def collect() -> SystemStatus:
    """Return the status. Raises database errors, but not those of the broker."""
    circuits = permits.states()
    broker = _broker(_accepting(circuits))
    uncertain, held = _row(_UNCERTAIN)
    used, allowed = _row(USED_AND_ALLOWED)
    reporting = {provider for (provider,) in _rows(_REPORTING)}
    return SystemStatus(
        processes=[
            ProcessState(name=name, silent_s=silent_s, trouble=trouble, age_s=age_s)
            for name, silent_s, trouble, age_s in _rows(_PROCESSES)
        ],
        lanes=[_lane(stream, broker) for stream in Stream],
        circuits=circuits,
        traffic=[_traffic(provider, reporting) for provider in settings.EMAIL_PROVIDERS],
        sending=_row(_SENDING)[0],
        uncertain=uncertain,
        held=held,
        dead=[Dead(cause=c, hour=hour, day=day, ever=ever) for c, hour, day, ever in _rows(_DEAD)],
        brake=_brake(),
        broker_is_down=broker is None,
        flower_is_missing=bool(settings.FLOWER_URL and broker and not broker.flower_runs),
        overdue=_overdue(),
        misfits=[Misfit(cause=cause, kind=kind, count=n) for cause, kind, n in _rows(_MISFITS)],
        connections_used=used,
        connections_allowed=allowed,
    )


def many(count: int) -> str:
    # A count that stopped at MOST has a plus.
    return f"{grouped(count)}+" if count >= MOST else grouped(count)


def bounced(brake: Brake) -> str:
    # "12 / 80". Empty while nothing bounces, as sent email is not counted then.
    return f"{grouped(brake.bounced)} / {grouped(brake.sent)}{'+' if brake.more else ''}" if brake.bounced else ""


def _overdue() -> list[Overdue]:
    known = {job.name: job for job in periodic.job_states()}
    return [
        Overdue(
            name=job.name,
            every_s=job.every_s,
            done_s=state.done_s if state else None,
            error=state.error if state else "",
        )
        for job in housekeeping.registered()
        if _is_overdue(job, state := known.get(job.name))
    ]


def _is_overdue(job: housekeeping.Job, state: periodic.JobState | None) -> bool:
    if state is None:
        return True
    if state.done_s is None:
        # The first run may still be under way.
        return bool(state.failures) or (state.tried_s or 0.0) > job.overdue_after_s
    return state.done_s > job.overdue_after_s


def _accepting(circuits: Sequence[CircuitState]) -> str:
    # Email goes to the first provider that accepts it.
    accepting = (circuit.provider for circuit in circuits if circuit.state == "closed")
    return next(accepting, next(iter(settings.EMAIL_PROVIDERS), ""))


@dataclass(frozen=True, kw_only=True)
class _BrokerState:
    """What Redis knows of each stream."""

    streams: dict[Stream, tuple[int, bytes | None, int]]
    paused_s: float
    flower_runs: bool


def _broker(provider: str) -> _BrokerState | None:
    """Return the broker's state; None during an outage."""
    pipeline = client().pipeline(transaction=False)
    for stream in Stream:
        pipeline.llen(stream.value)
        pipeline.get(pace_key(provider, stream))
        pipeline.exists(served_key(stream))
    pipeline.hget(state_key(provider), "pause")
    pipeline.time()
    pipeline.exists(FLOWER_KEY)
    try:
        *of_streams, pause, (seconds, microseconds), flower = pipeline.execute()
    except redis.RedisError:
        return None
    answers = iter(of_streams)
    return _BrokerState(
        streams=dict(zip(Stream, zip(answers, answers, answers, strict=True), strict=True)),
        paused_s=max(0.0, float(pause or 0) / 1e6 - seconds - microseconds / 1e6),
        flower_runs=bool(flower),
    )


def _lane(stream: Stream, broker: _BrokerState | None) -> Lane:
    due, later, oldest_s = _row(_LANE, stream=stream.value)
    published, pace, served = broker.streams[stream] if broker else (None, None, None)
    return Lane(
        stream=stream,
        due=due,
        later=later,
        oldest_s=oldest_s,
        published=published,
        pace=None if pace is None else float(pace),
        served=None if served is None else bool(served),
        paused_s=broker.paused_s if broker else 0.0,
    )


def _traffic(provider: str, reporting: set[str]) -> Traffic:
    minute, hour, failed, attempts, unreported = _row(_TRAFFIC, provider=provider)
    return Traffic(
        provider=provider,
        minute=minute,
        hour=hour,
        failed=failed,
        more=attempts >= MOST,
        unreported=unreported,
        reports=provider in reporting if _is_set_up_to_report(provider) else None,
    )


def _is_set_up_to_report(provider: str) -> bool:
    webhook = webhook_of(provider)
    return webhook is not None and not webhook.missing_settings()


def _brake() -> Brake:
    counted, limits = counts.count_bounces(kinds.to_unconfirmed()), counts.brake_limits()
    return Brake(
        on=must_slow(counted, limits),
        bounced=counted.bounced,
        sent=counted.sent,
        more=bool(counted.bounced) and counted.sent >= decisive_count(counted.bounced, limits),
        queue_s=counted.queue_s,
        window_min=settings.BOUNCE_BRAKE_WINDOW_MIN,
        per_min=settings.BOUNCE_BRAKE_PER_MIN,
    )


def _row(statement: LiteralString, **values: str) -> tuple[Any, ...]:
    (row,) = _rows(statement, **values)
    return row


def _rows(statement: LiteralString, **values: str) -> list[tuple[Any, ...]]:
    most: dict[str, int] = {"most": MOST, "most_causes": MOST_CAUSES}
    with connection.cursor() as cursor:
        cursor.execute(statement, {**STATUSES, "accepted": DeliveryAttempt.Result.ACCEPTED, **most, **values})
        return list(cursor.fetchall())
