"""Count what waits in PostgreSQL, for Flower."""

from django.db import connection

from notifications.rules.states import STATUSES, Stream
from notifications.runtime import waiting
from notifications.runtime.waiting import Waiting

# In the order of the relay's index. Published messages are due too, but the relay does not take them again yet.
_COUNT = """
SELECT lane.stream, due, later FROM unnest(%(streams)s::text[]) AS lane (stream) CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE due_at <= statement_timestamp() AND relay_after <= statement_timestamp()) AS due,
        count(*) FILTER (WHERE due_at > statement_timestamp()) AS later
    FROM (
        SELECT due_at, relay_after FROM notifications_message AS message
        WHERE status = %(queued)s AND message.stream = lane.stream
        ORDER BY message.stream, relay_after LIMIT %(most)s
    ) AS first
) AS counted
"""


def count() -> list[Waiting]:
    """Return the counts of each stream, up to MOST messages. Raises database errors."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {**STATUSES, "streams": Stream.values, "most": waiting.MOST})
        return [Waiting(stream=stream, due=due, later=later) for stream, due, later in cursor.fetchall()]


def publish_counts() -> None:
    # Returns no count, because a job logs its count.
    waiting.write(count())
