"""When so much sign-up mail bounces that it has to be slowed. Pure: counts in, a decision out."""

from dataclasses import dataclass

# What has begun goes on until the share is down to this part of the limit: at the limit itself it would come and go.
RELEASE = 0.5
# Rounds of the relay follow each other sooner than this.
LONGEST_ROUND_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """So many hard bounces at least, and such a share of what was sent."""

    least: int
    share: float


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What was sent within the window to addresses that nobody has confirmed, and how much of it bounced for good.

    `sent` need not be counted further than `enough` says. `line_s`: in so many seconds the last of the email that
    waits has its turn; 0 where none waits.
    """

    sent: int
    bounced: int
    line_s: float = 0.0


def must_slow(figures: Figures, limits: Limits) -> bool:
    """Return whether what is written now has to stand in line. Mail that still stands there says that it was so."""
    share = limits.share * (RELEASE if figures.line_s > 0 else 1)
    return figures.bounced >= limits.least and figures.bounced >= share * figures.sent


def enough(bounced: int, limits: Limits) -> int:
    """Return up to which count of sent mail it matters how much it was: from there on the share is a low one."""
    return int(bounced / (limits.share * RELEASE)) + 1


def let_go_now(since_last_s: float | None, per_min: float) -> int:
    """Return how many messages may leave the queue now, `since_last_s` seconds after the last one did.

    What a relay that was away has missed is not made up for: email would leave in a burst, and that is what the brake
    is there against.
    """
    gap_s = 60 / per_min
    if since_last_s is None:
        return 1
    return min(int(since_last_s / gap_s), max(1, int(LONGEST_ROUND_S / gap_s)))
