"""How much of the mail to addresses that nobody has confirmed was sent and bounced of late."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection

from notifications.bounce_brake.decision import Figures, Limits, enough
from notifications.conf import settings

# Nothing is counted further. The relay keeps the queue far below this.
MOST_WAITING = 10_000
# A bounce comes after its mail, so what was sent within the window bounced within it too.
_BOUNCED = """
SELECT count(DISTINCT message.id), (
    SELECT count(*) FROM (
        SELECT FROM notifications_message
        WHERE slowed_until > statement_timestamp() AND status = 'queued' LIMIT %(most)s
    ) AS waiting
)
FROM notifications_providerevent AS event JOIN notifications_message AS message ON message.id = event.message_id
WHERE event.bounce = 'hard' AND event.received_at > statement_timestamp() - %(window)s
  AND message.kind = ANY(%(kinds)s) AND message.stream <> 'bulk'
  AND message.status = 'sent' AND message.sent_at > statement_timestamp() - %(window)s
"""
_SENT = """
SELECT count(*) FROM (
    SELECT FROM notifications_message
    WHERE kind = ANY(%(kinds)s) AND status = 'sent' AND stream <> 'bulk'
      AND sent_at > statement_timestamp() - %(window)s
    LIMIT %(enough)s
) AS counted
"""


def limits() -> Limits:
    return Limits(least=settings.BOUNCE_BRAKE_MIN, share=settings.BOUNCE_BRAKE_SHARE)


def figures(kinds: Sequence[str]) -> Figures:
    """Count what was sent of `kinds`, as far as it matters, and what of it bounced for good.

    Where nothing bounced, which is the rule, that is one statement that reads next to nothing.
    """
    window = timedelta(minutes=settings.BOUNCE_BRAKE_WINDOW_MIN)
    asked: dict[str, Any] = {"kinds": list(kinds), "window": window, "most": MOST_WAITING}
    with connection.cursor() as cursor:
        cursor.execute(_BOUNCED, asked)
        bounced, waiting = cursor.fetchone()
        line_s = waiting * 60 / settings.BOUNCE_BRAKE_PER_MIN
        if not bounced:
            return Figures(sent=0, bounced=0, line_s=line_s)
        cursor.execute(_SENT, {**asked, "enough": enough(bounced, limits())})
        (sent,) = cursor.fetchone()
    return Figures(sent=sent, bounced=bounced, line_s=line_s)
