"""Compare a list of moments with a rate. Pure."""

from bisect import bisect_left
from collections.abc import Sequence


def worst_over_pct(moments: Sequence[float], *, rate: float, burst: float, lengths_s: Sequence[float]) -> float:
    """Return by how many percent the fullest window exceeds rate * length + burst."""
    ordered = sorted(moments)
    worst = 0.0
    for length_s in lengths_s:
        allowed = rate * length_s + burst
        worst = max(worst, (fullest(ordered, length_s) / allowed - 1) * 100)
    return worst


def fullest(ordered: Sequence[float], length_s: float) -> int:
    """Return the most moments that any window [t, t + length_s) holds."""
    return max((bisect_left(ordered, first + length_s) - start for start, first in enumerate(ordered)), default=0)


def under_pct(moments: Sequence[float], *, rate: float, since: float, length_s: float) -> float:
    """Return by how many percent the window from `since` falls short of rate * length."""
    found = sum(since <= moment < since + length_s for moment in moments)
    return max(0.0, (1 - found / (rate * length_s)) * 100)
