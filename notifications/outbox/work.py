"""Find out with one statement whether a round of the relay has work."""

from django.db import connection

from notifications.rules.states import STATUSES, Stream

# ORDER BY makes the planner use the indexes that the relay's other statements use, also while its statistics are old.
# It names the stream, because the planner cannot know that all rows have one. The last status is a subquery: otherwise
# the planner might read all queued messages to find those that the brake holds.
_HAS_WORK = """
SELECT coalesce(
    (
        SELECT true FROM unnest(%(streams)s::text[]) AS lane (stream) CROSS JOIN LATERAL (
            SELECT FROM notifications_message AS message
            WHERE status = %(queued)s AND message.stream = lane.stream
              AND relay_after <= statement_timestamp() AND due_at <= statement_timestamp()
            ORDER BY message.stream, relay_after LIMIT 1
        ) AS due LIMIT 1
    ),
    (
        SELECT true FROM notifications_message
        WHERE status = %(sending)s AND lease_until < statement_timestamp() ORDER BY lease_until LIMIT 1
    ),
    (
        SELECT true FROM notifications_message
        WHERE status = %(uncertain)s AND settle_at <= statement_timestamp() ORDER BY settle_at LIMIT 1
    ),
    (
        SELECT true FROM notifications_message
        WHERE slowed_until > statement_timestamp() AND status = (SELECT %(queued)s::text) ORDER BY slowed_until LIMIT 1
    ),
    (
        SELECT true FROM notifications_pause
        WHERE NOT is_released AND (ended_at IS NOT NULL OR until <= statement_timestamp()) LIMIT 1
    ),
    false
)
"""


def has_work() -> bool:
    """Return whether the relay has work. Raises database errors.

    A message may be due, lost by its worker, to be settled, or held by the bounce brake; or a pause has ended.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HAS_WORK, {**STATUSES, "streams": Stream.values})
        ((answer,),) = cursor.fetchall()
    return bool(answer)
