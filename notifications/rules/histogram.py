"""Percentiles of durations that are counted in buckets. Pure."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

# Stored rows have these buckets, so the bounds never change. Seconds.
BOUNDS: tuple[float, ...] = (
    *(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30),
    *(60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400),
)
#: Below the first bound, between each two, and from the last one on.
BUCKETS = len(BOUNDS) + 1
_RANGES = (*pairwise((0.0, *BOUNDS)), (BOUNDS[-1], BOUNDS[-1]))


def percentile(counts: Sequence[int], share: float) -> float | None:
    """Return the duration in seconds that `share` of all do not exceed; None without any.

    Within a bucket, durations count as evenly spread. What is longer than the last bound counts as the bound.
    """
    wanted = share * sum(counts)
    if not wanted:
        return None
    for (low, high), count in zip(_RANGES, counts, strict=True):
        if count and wanted <= count:
            return min(high, low + (high - low) * wanted / count)
        wanted -= count
    # Rounding may leave a rest.
    return BOUNDS[-1]


def total(histograms: Iterable[Sequence[int]]) -> list[int]:
    return [sum(bucket) for bucket in zip([0] * BUCKETS, *histograms, strict=True)]
