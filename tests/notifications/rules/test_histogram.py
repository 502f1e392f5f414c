"""Percentiles from buckets."""

from bisect import bisect_right
from math import ceil

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifications.rules.histogram import BOUNDS, BUCKETS, percentile, total


def histogram(*seconds):
    counts = [0] * BUCKETS
    for value in seconds:
        counts[bisect_right(BOUNDS, value)] += 1
    return counts


@pytest.mark.parametrize(
    ("seconds", "share", "expected"),
    [
        ([], 0.5, None),
        # One value is somewhere in its bucket, and half of it is the middle.
        ([0.3], 0.5, 0.35),
        ([0.3], 1, 0.5),
        ([0.01] * 95 + [40] * 5, 0.95, 0.05),
        ([0.01] * 94 + [40] * 6, 0.95, 35.0),
        ([0.3] * 2 + [7] * 2, 0.5, 0.5),
        ([200_000], 0.5, 86_400),
    ],
)
def test_percentile(seconds, share, expected):
    assert percentile(histogram(*seconds), share) == pytest.approx(expected)


@example([0.0] * 3 + [1.0] * 3, 0.5)
@given(st.lists(st.floats(0, 200_000), min_size=1), st.sampled_from([0.01, 0.5, 0.95, 1]))
def test_percentile_is_within_the_bucket_of_the_exact_one(seconds, share):
    exact = sorted(seconds)[ceil(share * len(seconds)) - 1]
    place = bisect_right(BOUNDS, exact)
    low, high = (0, *BOUNDS)[place], (*BOUNDS, BOUNDS[-1])[place]
    found = percentile(histogram(*seconds), share)
    assert found is not None
    assert low <= found <= high


def test_total_adds_bucket_by_bucket():
    assert total([histogram(0.01, 7), histogram(7)]) == histogram(0.01, 7, 7)
    assert total([]) == histogram()
