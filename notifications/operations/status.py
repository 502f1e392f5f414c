"""Collect the status of the system. The number and cost of the queries do not depend on the size of the tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from django.db import connection

from notifications import housekeeping, kinds
from notifications.bounce_brake import counts
from notifications.bounce_brake.decision import decisive_count, must_slow
from notifications.breaker import permits
from notifications.budget.keys import pace_key, state_key
from notifications.conf import settings
from notifications.models import DeliveryAttempt
from notifications.models import alert as alerts
from notifications.models import housekeeping as periodic
from notifications.models.pause import RESUMED_AT, WAITS_FOR_RESUME
from notifications.operations import changes, pausing
from notifications.operations.figures import Brake, Dead, Lane, Misfit, Overdue, ProcessState, SystemStatus, Traffic
from notifications.operations.guard import guard_in_words
from notifications.operations.wording import grouped
from notifications.providers.registry import webhook_of
from notifications.rules.states import STATUSES, Stream
from notifications.runtime.connections import USED_AND_ALLOWED
from notifications.runtime.database import DISK_FULL_KEY
from notifications.runtime.heartbeat import FLOWER_KEY, served_key
from notifications.runtime.redis_client import client

# The highest count. An operator needs no exact number above it.
MOST = 10_000
MOST_CAUSES = 100

_PROCESSES = """
SELECT name, greatest(0, extract(epoch FROM statement_timestamp() - beat_at))::float AS silent_s, trouble,
    greatest(0, extract(epoch FROM statement_timestamp() - started_at))::float AS age_s
FROM notifications_processheartbeat ORDER BY name
"""
# In the order of the relay's index: of a long queue, the messages that the relay publishes first.
_LANES = f"""
SELECT stream, found.* FROM unnest(%(streams)s::text[]) AS asked (stream), LATERAL (
    SELECT count(*) FILTER (WHERE due_at <= statement_timestamp() AND NOT is_paused),
        count(*) FILTER (WHERE due_at > statement_timestamp() AND NOT is_paused),
        CASE WHEN bool_or(NOT is_paused) THEN greatest(0, extract(
            epoch FROM statement_timestamp() - greatest(min(due_at) FILTER (WHERE NOT is_paused), {RESUMED_AT})
        )) ELSE 0 END::float,
        count(*) FILTER (WHERE is_paused)
    FROM (
        SELECT due_at, {WAITS_FOR_RESUME} AS is_paused FROM notifications_message
        WHERE status = %(queued)s AND stream = asked.stream ORDER BY relay_after LIMIT %(most)s
    ) AS waiting
) AS found
"""  # noqa: S608 - made of constants only
_MISFITS = """
SELECT error_fingerprint AS cause, kind, count(*) AS count FROM (
    SELECT error_fingerprint, kind FROM notifications_message
    WHERE status = %(queued)s AND error_fingerprint <> '' LIMIT %(most)s
) AS waiting GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""
# In one statement, because each costs the dashboard a round trip.
_OPEN = f"""
SELECT sending.count, uncertain.settled, uncertain.held, connections.*,
    (SELECT coalesce(json_agg(process), '[]') FROM ({_PROCESSES}) AS process),
    (SELECT coalesce(json_agg(misfit), '[]') FROM ({_MISFITS}) AS misfit),
    (SELECT row_to_json(waiting) FROM ({changes.WAITING}) AS waiting)
FROM (
    SELECT count(*) FROM (SELECT FROM notifications_message WHERE status = %(sending)s LIMIT %(most)s) AS found
) AS sending, (
    SELECT count(settle_at) AS settled, count(*) - count(settle_at) AS held FROM (
        SELECT settle_at FROM notifications_message WHERE status = %(uncertain)s LIMIT %(most)s
    ) AS found
) AS uncertain, ({USED_AND_ALLOWED}) AS connections
"""  # noqa: S608 - made of constants only
_BY_STREAM = ", ".join(f"count(*) FILTER (WHERE stream = '{stream.value}')" for stream in Stream)
# Newest first, so that the last minute is right however many attempts the hour had. Only those of the last minute need
# their message.
_TRAFFIC = f"""
SELECT asked.provider, found.*, reporting.provider IS NOT NULL, day.*
FROM unnest(%(providers)s::text[]) WITH ORDINALITY AS asked (provider, place)
LEFT JOIN (
    SELECT DISTINCT provider FROM (
        SELECT provider FROM notifications_providerevent
        WHERE received_at > statement_timestamp() - interval '1 hour' ORDER BY received_at DESC LIMIT %(most)s
    ) AS newest
) AS reporting USING (provider)
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE result = %(accepted)s AND recorded_at > statement_timestamp() - interval '1 minute'),
        count(*) FILTER (WHERE result = %(accepted)s), count(*) FILTER (WHERE result <> %(accepted)s), count(*),
        count(*) FILTER (WHERE result = %(accepted)s AND recorded_at < statement_timestamp() - interval '15 minutes'),
        {_BY_STREAM}
    FROM (
        SELECT recorded_at, result,
            CASE WHEN result = %(accepted)s AND recorded_at > statement_timestamp() - interval '1 minute'
                THEN (SELECT stream FROM notifications_message WHERE id = message_id) END AS stream
        FROM notifications_deliveryattempt
        WHERE provider = asked.provider AND recorded_at > statement_timestamp() - interval '1 hour'
        ORDER BY recorded_at DESC LIMIT %(most)s
    ) AS attempts
) AS found
CROSS JOIN LATERAL (
    SELECT coalesce(sum(sent), 0)::bigint, coalesce(sum(hard_bounced), 0)::bigint, coalesce(sum(complained), 0)::bigint
    FROM notifications_hourlytraffic
    WHERE hour > statement_timestamp() - interval '24 hours' AND provider = asked.provider
) AS day
ORDER BY place
"""  # noqa: S608 - the same
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


def collect() -> SystemStatus:
    """Return the status. Raises database errors, but not those of the broker."""
    circuits, pauses = permits.states(), pausing.pause_states()
    broker = _broker(pausing.first_accepting(circuits, pauses))
    sending, uncertain, held, used, allowed, processes, misfits, waiting = _row(_OPEN)
    traffic, minutes = _traffic()
    return SystemStatus(
        processes=[ProcessState(**process) for process in processes],
        lanes=_lanes(broker, minutes),
        circuits=circuits,
        traffic=traffic,
        sending=sending,
        uncertain=uncertain,
        held=held,
        dead=[Dead(cause=c, hour=hour, day=day, ever=ever) for c, hour, day, ever in _rows(_DEAD)],
        brake=_brake(),
        broker_is_down=broker is None,
        flower_is_missing=bool(settings.FLOWER_URL and broker and not broker.flower_runs),
        overdue=_overdue(),
        misfits=[Misfit(**misfit) for misfit in misfits],
        pauses=pauses,
        connections_used=used,
        connections_allowed=allowed,
        disk_is_full=bool(broker and broker.disk_is_full),
        failing_channels=alerts.failing_channels(),
        changes=changes.waiting_changes(waiting),
        guard=guard_in_words(),
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


@dataclass(frozen=True, kw_only=True)
class _BrokerState:
    """What Redis knows of each stream."""

    streams: dict[Stream, tuple[int, bytes | None, int]]
    paused_s: float
    flower_runs: bool
    disk_is_full: bool


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
    pipeline.exists(DISK_FULL_KEY)
    try:
        *of_streams, pause, (seconds, microseconds), flower, disk_full = pipeline.execute()
    except redis.RedisError:
        return None
    answers = iter(of_streams)
    return _BrokerState(
        streams=dict(zip(Stream, zip(answers, answers, answers, strict=True), strict=True)),
        paused_s=max(0.0, float(pause or 0) / 1e6 - seconds - microseconds / 1e6),
        flower_runs=bool(flower),
        disk_is_full=bool(disk_full),
    )


def _lanes(broker: _BrokerState | None, minutes: Mapping[Stream, int]) -> list[Lane]:
    waiting = {stream: found for stream, *found in _rows(_LANES)}
    return [_lane(stream, waiting[stream], minutes[stream], broker) for stream in Stream]


def _lane(stream: Stream, waiting: Sequence[Any], minute: int, broker: _BrokerState | None) -> Lane:
    due, later, oldest_s, paused = waiting
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
        paused=paused,
        minute=minute,
    )


def _traffic() -> tuple[list[Traffic], Counter[Stream]]:
    # By provider; and what was sent in the last minute, by stream.
    traffic, minutes = [], Counter[Stream]()
    for provider, minute, hour, failed, attempts, unreported, *more in _rows(_TRAFFIC):
        *of_streams, reports, sent, hard_bounced, complained = more
        minutes.update(dict(zip(Stream, of_streams, strict=True)))
        traffic.append(
            Traffic(
                provider=provider,
                minute=minute,
                hour=hour,
                failed=failed,
                more=attempts >= MOST,
                unreported=unreported,
                reports=reports if _is_set_up_to_report(provider) else None,
                day_sent=sent,
                day_hard_bounced=hard_bounced,
                day_complained=complained,
            )
        )
    return traffic, minutes


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


def _row(statement: str) -> tuple[Any, ...]:
    (row,) = _rows(statement)
    return row


def _rows(statement: str) -> list[tuple[Any, ...]]:
    terms: dict[str, Any] = {"most": MOST, "most_causes": MOST_CAUSES}
    terms |= {"streams": Stream.values, "providers": list(settings.EMAIL_PROVIDERS)}
    with connection.cursor() as cursor:
        cursor.execute(statement, {**STATUSES, "accepted": DeliveryAttempt.Result.ACCEPTED, **terms})
        return list(cursor.fetchall())
