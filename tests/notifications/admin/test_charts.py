"""The geometry of the charts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.admin.charts import HEIGHT, LEAST, chart, round_up


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (2, 2), (3, 5), (6, 10), (10, 10), (11, 20), (99, 100), (501, 1000)]
)
def test_upper_edge_is_a_round_number(value, top):
    assert round_up(value) == top


def test_bars_stand_next_to_each_other_on_the_lower_edge():
    found = chart([("a", 0), ("b", 1), ("c", 1000), ("d", 500)])
    assert [(bar.x, bar.y, bar.height) for bar in found.bars] == [
        (1, HEIGHT, 0),
        (11, HEIGHT - LEAST, LEAST),
        (21, 0, HEIGHT),
        (31, 50, 50),
    ]
    assert (found.width, found.top, found.total) == (40, 1000, 1501)


@pytest.mark.parametrize("values", [[], [("a", 0)]])
def test_chart_without_values_has_an_edge(values):
    assert (chart(values).top, chart(values).total) == (1, 0)


@given(st.lists(st.integers(0, 10**9), max_size=30))
def test_no_bar_leaves_the_chart(values):
    found = chart([("", value) for value in values])
    for bar, value in zip(found.bars, values, strict=True):
        assert 0 <= bar.y <= HEIGHT
        assert bar.y + bar.height == HEIGHT
        assert bool(bar.height) == bool(value)
        assert bar.x + bar.width <= found.width
