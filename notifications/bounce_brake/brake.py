"""Slow new email to unconfirmed addresses while much of it bounces.

Each message's row records the wait, so the relay releases it (`brake_queue`) after any crash or restart.
"""

import logging
import time
from collections.abc import Sequence
from uuid import UUID

from notifications import kinds
from notifications.bounce_brake import counts
from notifications.bounce_brake.decision import BounceCounts, must_slow
from notifications.conf import settings
from notifications.models import Message
from notifications.runtime.redis_client import client

logger = logging.getLogger(__name__)

#: How long a process trusts its last count.
CACHE_S = 5.0
# The key in Redis that exists while the brake is on, according to the log.
ANNOUNCED_KEY = "mailroom:bounce-brake"
REASON = "slowed: too many sign-up emails bounce"
# The last decision and its time (monotonic). Replaced as a whole, so it is safe for threads.
_decided: tuple[float, bool] | None = None


def is_on() -> bool:
    # At most CACHE_S old.
    global _decided  # noqa: PLW0603 - one per process
    if _decided is None or time.monotonic() - _decided[0] > CACHE_S:
        _decided = time.monotonic(), must_slow(counts.count_bounces(kinds.to_unconfirmed()), counts.brake_limits())
    return _decided[1]


def reset() -> None:
    global _decided  # noqa: PLW0603 - one per process
    _decided = None


def hold_back(messages: Sequence[Message]) -> set[UUID]:
    """Hold back new messages while the brake is on; return the waiting ids.

    They wait until the relay releases them (`brake_queue`) or they expire. Every slowed kind costs the same statements.
    """
    slowed = [message for message in messages if kinds.get(message.kind).is_slowed]
    if not slowed or not is_on():
        return set()
    # A message that lacks its account will not be sent, so it takes no place in the queue.
    held = [message for message in slowed if message.user or not kinds.get(message.kind).requires_account]
    for message in held:
        message.status_reason = REASON
    return {message.id for message in held}


def log_changes() -> bool:
    """Log when the brake engages or releases; return whether it is on.

    Raises redis.RedisError. One process logs each change.
    """
    counted = counts.count_bounces(kinds.to_unconfirmed())
    if must_slow(counted, counts.brake_limits()):
        if client().set(ANNOUNCED_KEY, "on", nx=True):
            logger.error("%s", engaged_text(counted))
        return True
    if client().delete(ANNOUNCED_KEY):
        logger.warning("the bounce brake is off: new sign-up email is sent immediately again")
    return False


def engaged_text(counted: BounceCounts) -> str:
    return (
        f"the bounce brake is on: {counted.bounced} of {counted.sent} emails to unconfirmed addresses bounced within"
        f" {settings.BOUNCE_BRAKE_WINDOW_MIN} min; limiting sign-up email to {settings.BOUNCE_BRAKE_PER_MIN} per minute"
    )
