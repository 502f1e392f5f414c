"""Decide when sign-up email must be slowed because too much of it bounces. Pure."""

from dataclasses import dataclass

#: The brake stays on until the share is down to this part of the limit: at the limit itself, it would flap.
RELEASE_SHARE = 0.5
#: The relay's rounds follow each other sooner than this.
LONGEST_ROUND_S = 2.0


@dataclass(frozen=True, kw_only=True)
class BrakeLimits:
    """When the brake engages: the least number of hard bounces, and their least share."""

    least: int
    share: float


@dataclass(frozen=True, kw_only=True)
class BounceCounts:
    """What was sent within the window to unconfirmed addresses, and how much of it hard-bounced.

    `sent` is counted up to `decisive_count` only. `queue_s`: how long the last waiting message has to wait (seconds).
    """

    sent: int
    bounced: int
    queue_s: float = 0.0


def must_slow(figures: BounceCounts, limits: BrakeLimits) -> bool:
    # A queue that is not empty shows that the brake was on.
    share = limits.share * (RELEASE_SHARE if figures.queue_s > 0 else 1)
    return figures.bounced >= limits.least and figures.bounced >= share * figures.sent


def decisive_count(bounced: int, limits: BrakeLimits) -> int:
    # If more than this many were sent, the share is low.
    return int(bounced / (limits.share * RELEASE_SHARE)) + 1


def releasable_now(since_last_s: float | None, per_min: float) -> int:
    """Return how many messages may leave the queue `since_last_s` after the last.

    Missed time is not made up for, because that would send a burst.
    """
    gap_s = 60 / per_min
    if since_last_s is None:
        return 1
    return min(int(since_last_s / gap_s), max(1, int(LONGEST_ROUND_S / gap_s)))


def release_wait_s(ahead: int, since_last_s: float | None, per_min: float) -> float:
    """Return when a message with `ahead` others before it in the queue is released (seconds)."""
    gap_s = 60 / per_min
    first_s = 0.0 if since_last_s is None else max(0.0, gap_s - since_last_s)
    return first_s + ahead * gap_s
