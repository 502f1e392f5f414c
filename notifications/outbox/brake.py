"""The bounce brake: while much of the mail to unconfirmed addresses bounces, new such mail stands in line.

Nothing but the place in line is decided here, and it is written into the row: whatever is restarted, wiped or killed
afterwards, the relay publishes each message when its turn has come.
"""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from config.redis_client import client
from notifications import kinds
from notifications.bounces import Figures, must_slow
from notifications.models import Message, bounces

logger = logging.getLogger(__name__)

# How long a process goes by what it has counted.
FRESH_S = 5.0
# Present as long as the operator was told that the brake is on, and not yet that it is off.
TOLD = "mailroom:bounce-brake"
REASON = "slowed: too many sign-up mails bounce"
# Names the line to PostgreSQL: who has its lock takes the next places, and whoever comes then sees them.
_LINE_LOCK = 0x4D61696C
# Whoever has it is about to commit. One that is frozen in between must not keep everybody from signing up.
_TRIES, _PAUSE_S = 20, 0.01
_LAST_PLACE = """
SELECT extract(epoch FROM max(slowed_until) - statement_timestamp())::float
FROM notifications_message WHERE slowed_until IS NOT NULL
"""

# What was decided last, and when; replaced whole, so threads may read it.
_decided: tuple[float, bool] | None = None


def is_on() -> bool:
    """Return whether new mail to unconfirmed addresses is slowed, as it was found at most some seconds ago."""
    global _decided  # noqa: PLW0603 - one for the process
    if _decided is None or time.monotonic() - _decided[0] > FRESH_S:
        _decided = time.monotonic(), must_slow(bounces.figures(kinds.unproven()), bounces.limits())
    return _decided[1]


def forget() -> None:
    """Count anew when next asked."""
    global _decided  # noqa: PLW0603 - one for the process
    _decided = None


def slow(messages: Sequence[Message]) -> set[UUID]:
    """Give messages that are about to be written their places in line, if there is one; return the ids of who waits.

    To be called in the transaction that writes them. The same statements for every kind that is slowed.
    """
    slowed = [message for message in messages if kinds.get(message.kind).is_slowed]
    if not slowed or not is_on():
        return set()
    gap_s = 60 / settings.BOUNCE_BRAKE_PER_MIN
    first_s = _first_place_s(gap_s)
    # What will go to nobody takes nobody's place; the line is asked for all the same.
    slowed = [message for message in slowed if message.user or not kinds.get(message.kind).for_owner]
    for place, message in enumerate(slowed):
        wait_s = first_s + place * gap_s
        message.slowed_until = Now() + timedelta(seconds=wait_s)
        message.status_reason = REASON
        if wait_s:
            message.due_at = message.relay_after = Now() + timedelta(seconds=wait_s)
    return {message.id for message in (slowed if first_s else slowed[1:])}


def _first_place_s(gap_s: float) -> float:
    """Return in how many seconds the next place in line has its turn; 0 at once."""
    with connection.cursor() as cursor:
        for _ in range(_TRIES):
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LINE_LOCK])
            if cursor.fetchone()[0]:
                break
            time.sleep(_PAUSE_S)
        cursor.execute(_LAST_PLACE)
        (last_s,) = cursor.fetchone()
    return 0.0 if last_s is None else max(0.0, last_s + gap_s)


def watch() -> bool:
    """Tell the log once when the brake engages and once when it is released, whoever notices first; return if it is on.

    Raises redis.RedisError.
    """
    counted = bounces.figures(kinds.unproven())
    if must_slow(counted, bounces.limits()):
        if client().set(TOLD, "on", nx=True):
            logger.error("%s", told(counted))
        return True
    if client().delete(TOLD):
        logger.warning("the bounce brake is released: new sign-up mail leaves at once again")
    return False


def told(counted: Figures) -> str:
    return (
        f"the bounce brake is on: {counted.bounced} of {counted.sent} mails to unconfirmed addresses bounced within"
        f" {settings.BOUNCE_BRAKE_WINDOW_MIN} min; sign-up mail leaves at {settings.BOUNCE_BRAKE_PER_MIN} a minute"
    )
