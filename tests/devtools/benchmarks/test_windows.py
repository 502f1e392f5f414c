import pytest

from devtools.benchmarks.windows import fullest, under_pct, worst_over_pct

EVERY_TENTH = [number / 10 for number in range(100)]


@pytest.mark.parametrize(
    ("moments", "length_s", "count"),
    [
        ([], 1.0, 0),
        ([5.0], 1.0, 1),
        ([0.0, 0.5, 1.0], 1.0, 2),
        ([0.0, 0.9, 1.0, 1.1], 0.5, 3),
        (EVERY_TENTH, 10.0, 100),
    ],
)
def test_fullest_window(moments, length_s, count):
    assert fullest(moments, length_s) == count


@pytest.mark.parametrize(
    ("rate", "burst", "over"),
    [(10, 0, 0.0), (5, 0, 100.0), (5, 5, 0.0), (8, 1, 100 / 9), (10, 3, -300 / 13)],
)
def test_over_is_the_share_above_the_bound(rate, burst, over):
    found = worst_over_pct(EVERY_TENTH, rate=rate, burst=burst, lengths_s=[1.0])
    assert found == pytest.approx(max(over, 0.0), abs=0.01)


@pytest.mark.parametrize(("rate", "under"), [(10, 0.0), (20, 50.0), (5, 0.0)])
def test_under_is_the_share_below_the_rate(rate, under):
    assert under_pct(EVERY_TENTH, rate=rate, since=0.0, length_s=9.95) == pytest.approx(under, abs=1)
