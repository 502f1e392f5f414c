"""Count the email to unconfirmed addresses that was sent recently, and that bounced."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection

from notifications.bounce_brake.decision import BounceCounts, BrakeLimits, decisive_count
from notifications.conf import settings
from notifications.rules.outcomes import BounceKind
from notifications.rules.states import STATUSES, Stream

#: The count ends here. The relay keeps the queue far below this.
MAX_WAITING = 10_000
# A bounce follows its email, so what was sent within the window bounced within it too.
_BOUNCED = """
SELECT count(DISTINCT message.id), (
    SELECT count(*) FROM (
        SELECT FROM notifications_message
        WHERE slowed_until > statement_timestamp() AND status = %(queued)s LIMIT %(most)s
    ) AS waiting
)
FROM notifications_providerevent AS event JOIN notifications_message AS message ON message.id = event.message_id
WHERE event.bounce = %(hard)s AND event.received_at > statement_timestamp() - %(window)s
  AND message.kind = ANY(%(kinds)s) AND message.stream <> %(bulk)s
  AND message.status = %(sent)s AND message.sent_at > statement_timestamp() - %(window)s
"""
_SENT = """
SELECT count(*) FROM (
    SELECT FROM notifications_message
    WHERE kind = ANY(%(kinds)s) AND status = %(sent)s AND stream <> %(bulk)s
      AND sent_at > statement_timestamp() - %(window)s
    LIMIT %(enough)s
) AS counted
"""
_TERMS = {**STATUSES, "bulk": Stream.BULK, "hard": BounceKind.HARD}


def brake_limits() -> BrakeLimits:
    return BrakeLimits(least=settings.BOUNCE_BRAKE_MIN, share=settings.BOUNCE_BRAKE_SHARE)


def count_bounces(kinds: Sequence[str]) -> BounceCounts:
    # Counts no further than it matters. Without a bounce, the usual case, it costs one cheap statement.
    window = timedelta(minutes=settings.BOUNCE_BRAKE_WINDOW_MIN)
    asked: dict[str, Any] = {**_TERMS, "kinds": list(kinds), "window": window, "most": MAX_WAITING}
    with connection.cursor() as cursor:
        cursor.execute(_BOUNCED, asked)
        bounced, waiting = cursor.fetchone()
        queue_s = waiting * 60 / settings.BOUNCE_BRAKE_PER_MIN
        if not bounced:
            return BounceCounts(sent=0, bounced=0, queue_s=queue_s)
        cursor.execute(_SENT, {**asked, "enough": decisive_count(bounced, brake_limits())})
        (sent,) = cursor.fetchone()
    return BounceCounts(sent=sent, bounced=bounced, queue_s=queue_s)
