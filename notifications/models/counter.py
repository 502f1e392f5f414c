"""Counters for metrics, added up from the tables by a periodic job. They only grow."""

from datetime import datetime
from typing import Any

from django.db import connection, models

from notifications.models.attempt import DeliveryAttempt
from notifications.models.transactions import short_transaction

# A row that is committed later than this after its time is not counted: attempts are recorded in short transactions.
SETTLED_AFTER_S = 10.0
# Events are counted later, when their kind is known. Those that are not read by then have none.
EVENTS_AFTER_S = 60.0
# A run after an outage of beat counts in parts.
LONGEST_SPAN_S = 300.0
# Upper bounds, in seconds, of the time from when a message was due to its acceptance.
BOUNDS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)


class Counter(models.Model):
    """One time series."""

    name = models.CharField(max_length=60)
    labels = models.JSONField(default=dict)
    value = models.FloatField(default=0)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["name", "labels"], name="notifications_counter_once")]

    def __str__(self) -> str:
        return self.name


class CounterMark(models.Model):
    """The one row says up to which time attempts are counted."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    counted_to = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.counted_to)


_BEGIN = """
INSERT INTO notifications_countermark (id, counted_to)
VALUES (1, statement_timestamp() - %(settled_s)s * interval '1 second') ON CONFLICT DO NOTHING
"""
_SPAN = """
SELECT counted_to, least(
    statement_timestamp() - %(settled_s)s * interval '1 second', counted_to + %(longest_s)s * interval '1 second'
) FROM notifications_countermark WHERE id = 1 FOR UPDATE
"""
# An index has the attempts by provider and time, and the events by time. A retry has changed `due_at`, so the time of
# such a message begins when it was written; after a replay it would be wrong, and it has none. Each message is found by
# its id, whatever the planner believes of the table: OFFSET 0 keeps it from a join.
_COUNT = """
WITH attempt AS MATERIALIZED (
    SELECT provider, result, number, message_id, recorded_at FROM unnest(%(providers)s::text[]) AS asked (name),
    LATERAL (
        SELECT * FROM notifications_deliveryattempt
        WHERE provider = asked.name AND recorded_at > %(since)s AND recorded_at <= %(until)s
    ) AS found
), accepted AS MATERIALIZED (
    SELECT stream, kind, greatest(0, extract(epoch FROM recorded_at - CASE
        WHEN attempt.number = attempts_before + 1 THEN greatest(created_at, due_at)
        WHEN replays = 0 THEN created_at
    END))::float AS took_s
    FROM attempt, LATERAL (
        SELECT stream, kind, attempts_before, replays, created_at, due_at FROM notifications_message
        WHERE id = attempt.message_id OFFSET 0
    ) AS message
    WHERE result = %(accepted)s
), event AS MATERIALIZED (
    SELECT provider, CASE
        WHEN kind = '' THEN 'unread' WHEN bounce = '' THEN kind ELSE kind || '-' || bounce
    END AS what, count(*) AS count
    FROM notifications_providerevent
    WHERE received_at > %(since)s::timestamptz - %(events_s)s * interval '1 second'
        AND received_at <= %(until)s::timestamptz - %(events_s)s * interval '1 second'
    GROUP BY 1, 2
), found (name, labels, value) AS (
    SELECT 'attempts', jsonb_build_object('provider', provider, 'result', result), count(*)::float
    FROM attempt GROUP BY provider, result
    UNION ALL
    SELECT 'sent', jsonb_build_object('stream', stream, 'kind', kind), count(*) FROM accepted GROUP BY stream, kind
    UNION ALL
    SELECT 'delay_bucket', jsonb_build_object('stream', stream, 'le', bound), count(*) FILTER (WHERE took_s <= bound)
    FROM accepted, unnest(%(bounds)s::float[]) AS known (bound) GROUP BY stream, bound
    UNION ALL
    SELECT 'delay_sum', jsonb_build_object('stream', stream), sum(took_s) FROM accepted GROUP BY stream
    UNION ALL
    SELECT 'delay_count', jsonb_build_object('stream', stream), count(took_s) FROM accepted GROUP BY stream
    UNION ALL
    SELECT 'events', jsonb_build_object('provider', provider, 'event', what), count FROM event
)
INSERT INTO notifications_counter (name, labels, value)
SELECT name, labels, value FROM found WHERE value > 0 ORDER BY name, labels
ON CONFLICT (name, labels) DO UPDATE SET value = notifications_counter.value + EXCLUDED.value
"""
_MARK = "UPDATE notifications_countermark SET counted_to = %(until)s WHERE id = 1"


def count_next(providers: list[str]) -> bool:
    """Count what was recorded since the last call. Return whether more is left to count.

    The counters and the mark change in one transaction, so each row is counted once.
    """
    terms: dict[str, Any] = {
        "settled_s": SETTLED_AFTER_S,
        "longest_s": LONGEST_SPAN_S,
        "events_s": EVENTS_AFTER_S,
        "providers": providers,
        "bounds": list(BOUNDS),
        "accepted": DeliveryAttempt.Result.ACCEPTED,
    }
    since: datetime
    until: datetime
    with short_transaction(), connection.cursor() as cursor:
        cursor.execute(_BEGIN, terms)
        cursor.execute(_SPAN, terms)
        since, until = cursor.fetchone()
        if until <= since:
            return False
        span = {"since": since, "until": until}
        cursor.execute(_COUNT, terms | span)
        cursor.execute(_MARK, span)
    return (until - since).total_seconds() >= LONGEST_SPAN_S
