"""Decide how long rows are kept. Pure."""

import math

#: No row of a message or event is deleted earlier: providers report for weeks, and a key must outlast every retry.
LEAST_DAYS = 30
#: Before the first soft bounce that counts, providers may have tried for a week.
DELIVERY_DAYS = 7


def kept_days(configured: int, *, soft_bounce_days: int, brake_days: float) -> int | None:
    """Return for how many days messages and events are kept; None: for good.

    At least as long as soft bounces and the bounce brake are counted.
    """
    if configured == 0:
        return None
    return max(configured, LEAST_DAYS, soft_bounce_days + DELIVERY_DAYS + 1, math.ceil(brake_days) + 1)
