"""Count the messages of each hour, so that pages read few rows."""

import time
from datetime import datetime
from typing import Any

from django.db import connection

from notifications.models import DeliveryAttempt, ProviderEvent
from notifications.models.transactions import short_transaction
from notifications.rules.histogram import BOUNDS, BUCKETS
from notifications.rules.outcomes import BounceKind, EventType
from notifications.rules.states import STATUSES

# An hour is counted again as a whole, so a run that is repeated, or was missed, changes nothing. The hours that were
# never counted are those of an outage of beat and those before the upgrade: both are caught up, newest first.

# An hour is final when it was counted this long after its end: longer than an event waits for its message.
FINAL_AFTER_H = 4
# Until then, the current hour and the one before are counted in each run, the others now and then.
AGAIN_MIN = 30
# Older messages are not counted.
BACK_DAYS = 366
# The recipient domains of an hour that have a row.
DOMAINS = 50
# A run ends after this; the next one continues.
RUN_S = 200.0
# Each run counts the two newest hours and at least one older, however long the newest take.
AT_LEAST = 3
MOST_HOURS = 1_000

# The hours that are not final.
_OPEN = """
FROM generate_series(
    date_trunc('hour', greatest(
        coalesce((SELECT min(created_at) FROM notifications_message), statement_timestamp()),
        statement_timestamp() - %(back_days)s * interval '1 day'
    ), 'UTC'), statement_timestamp(), interval '1 hour'
) AS due (hour)
LEFT JOIN notifications_rolleduphour AS done ON done.hour = due.hour
WHERE coalesce(done.counted_at < due.hour + (%(final_after_h)s + 1) * interval '1 hour', true)
"""
_DUE = f"""
SELECT due.hour {_OPEN} AND (
    done.counted_at IS NULL OR due.hour > statement_timestamp() - interval '2 hours'
    OR done.counted_at < statement_timestamp() - %(again_min)s * interval '1 minute'
)
ORDER BY due.hour DESC LIMIT %(most)s
"""
_FIRST_OPEN = f"SELECT min(due.hour) {_OPEN}"
_CLAIM = """
INSERT INTO notifications_rolleduphour (hour, counted_at) VALUES (%(hour)s, statement_timestamp())
ON CONFLICT (hour) DO UPDATE SET counted_at = EXCLUDED.counted_at
"""
_CLEAR = (
    "DELETE FROM notifications_hourlytraffic WHERE hour = %(hour)s",
    "DELETE FROM notifications_hourlydomain WHERE hour = %(hour)s",
)
_COUNTS = ("sent", "delivered", "deferred", "hard_bounced", "soft_bounced", "complained")
_TRAFFIC_COUNTS = (*_COUNTS, "failed", "rejected")


def _count(what: str) -> str:
    return f"coalesce(sum(count) FILTER (WHERE what = '{what}'), 0)"


def _times(what: str) -> str:
    buckets = (f"coalesce(sum(count) FILTER (WHERE what = '{what}' AND bucket = {n}), 0)" for n in range(BUCKETS))
    return f"ARRAY[{', '.join(buckets)}]::bigint[]"


# The attempts are found by provider, whose index has the time; so the providers are found first, one step each.
# A lost answer that the provider has reported since counts as sent. A retry has changed `due_at`, so the time of such a
# message begins when it was written; after a replay that would be wrong, and it has none.
_FACTS = """
WITH RECURSIVE providers (name) AS (
    (SELECT provider FROM notifications_deliveryattempt ORDER BY provider LIMIT 1)
    UNION ALL
    SELECT (SELECT provider FROM notifications_deliveryattempt WHERE provider > name ORDER BY provider LIMIT 1)
    FROM providers WHERE name IS NOT NULL
), accepted AS (
    SELECT message.stream, attempt.provider, message.to_address, 'sent' AS what, attempt.recorded_at - CASE
        WHEN attempt.number = message.attempts_before + 1 THEN greatest(message.created_at, message.due_at)
        WHEN message.replays = 0 THEN message.created_at
    END AS took
    FROM providers, LATERAL (
        SELECT message_id, number, provider, result, recorded_at FROM notifications_deliveryattempt
        WHERE provider = providers.name AND recorded_at >= %(hour)s
            AND recorded_at < %(hour)s::timestamptz + interval '1 hour'
            AND result IN (%(accepted)s, %(ambiguous)s)
    ) AS attempt
    JOIN notifications_message AS message ON message.id = attempt.message_id
    WHERE attempt.result = %(accepted)s OR (message.status = %(sent)s AND attempt.number = message.attempts)
), reports AS (
    SELECT message_id, provider, what, min(least(coalesce(occurred_at, received_at), received_at)) AS at
    FROM (
        SELECT message_id, provider, occurred_at, received_at, CASE
            WHEN kind = %(delivered)s OR bounce = %(auto_reply)s THEN 'delivered'
            WHEN kind = %(bounced)s AND bounce = %(hard)s THEN 'hard_bounced'
            WHEN kind = %(bounced)s THEN 'soft_bounced'
            WHEN kind = %(deferred)s THEN 'deferred'
            WHEN kind = %(complained)s THEN 'complained'
            WHEN kind = %(rejected)s THEN 'rejected'
        END AS what
        FROM notifications_providerevent
        WHERE received_at >= %(hour)s AND received_at < %(hour)s::timestamptz + interval '1 hour'
            AND state = %(applied)s AND message_id IS NOT NULL
    ) AS event
    WHERE what IS NOT NULL
    GROUP BY message_id, provider, what
), facts AS (
    SELECT stream, provider, to_address, what, took FROM accepted
    UNION ALL
    SELECT message.stream, reports.provider, message.to_address, what,
        CASE WHEN what = 'delivered' THEN greatest(reports.at - message.sent_at, interval '0') END
    FROM reports JOIN notifications_message AS message ON message.id = reports.message_id
    UNION ALL
    SELECT stream, provider, to_address, 'failed', NULL FROM notifications_message
    WHERE status = %(dead)s AND died_at >= %(hour)s AND died_at < %(hour)s::timestamptz + interval '1 hour'
), counted AS MATERIALIZED (
    SELECT stream, provider, left(lower(split_part(to_address, '@', -1)), 255) AS domain, what,
        width_bucket(extract(epoch FROM took)::float, %(bounds)s::float[]) AS bucket, count(*) AS count
    FROM facts GROUP BY 1, 2, 3, 4, 5
)
"""
_ROLL_UP = f"""
{_FACTS}, traffic AS (
    INSERT INTO notifications_hourlytraffic
        (hour, stream, provider, {", ".join(_TRAFFIC_COUNTS)}, to_provider, to_delivered)
    SELECT %(hour)s, stream, provider, {", ".join(map(_count, _TRAFFIC_COUNTS))},
        {_times("sent")}, {_times("delivered")}
    FROM counted GROUP BY stream, provider
), ranked AS (
    SELECT domain, row_number() OVER (ORDER BY sum(count) DESC, domain) AS place
    FROM counted WHERE what <> 'failed' AND domain <> '' GROUP BY domain
)
INSERT INTO notifications_hourlydomain (hour, domain, {", ".join(_COUNTS)}, to_delivered)
SELECT %(hour)s, CASE WHEN place <= %(domains)s THEN domain ELSE '' END AS shown,
    {", ".join(map(_count, _COUNTS))}, {_times("delivered")}
FROM counted LEFT JOIN ranked USING (domain) WHERE what IN ({", ".join(f"'{name}'" for name in _COUNTS)})
GROUP BY shown
"""  # noqa: S608 - made of constants only
_TERMS: dict[str, Any] = {
    **STATUSES,
    "accepted": DeliveryAttempt.Result.ACCEPTED,
    "ambiguous": DeliveryAttempt.Result.AMBIGUOUS,
    "applied": ProviderEvent.State.APPLIED,
    **{kind.name.lower(): kind.value for kind in (EventType.DELIVERED, EventType.BOUNCED, EventType.DEFERRED)},
    **{kind.name.lower(): kind.value for kind in (EventType.COMPLAINED, EventType.REJECTED)},
    "hard": BounceKind.HARD,
    "auto_reply": BounceKind.AUTO_REPLY,
    "bounds": [float(bound) for bound in BOUNDS],
    "domains": DOMAINS,
}


def roll_up_due() -> None:
    """Count the hours that need it, newest first, for about RUN_S. Raises database errors."""
    until = time.monotonic() + RUN_S
    for counted, hour in enumerate(due_hours()):
        if counted >= AT_LEAST and time.monotonic() > until:
            break
        roll_up(hour)


def due_hours() -> list[datetime]:
    return [hour for (hour,) in _rows(_DUE)]


def first_open_hour() -> datetime:
    """Return the oldest hour that is counted (again) later. What happened since then must not be deleted yet."""
    ((hour,),) = _rows(_FIRST_OPEN)
    first: datetime = hour
    return first


def _rows(statement: str) -> list[tuple[datetime]]:
    terms: dict[str, Any] = {"back_days": BACK_DAYS, "final_after_h": FINAL_AFTER_H, "again_min": AGAIN_MIN}
    with connection.cursor() as cursor:
        cursor.execute(statement, {**terms, "most": MOST_HOURS})
        return list(cursor.fetchall())


def roll_up(hour: datetime) -> None:
    # One transaction. Its first statement makes another process that counts the hour wait.
    with short_transaction(), connection.cursor() as cursor:
        for statement in (_CLAIM, *_CLEAR, _ROLL_UP):
            cursor.execute(statement, {**_TERMS, "hour": hour})
