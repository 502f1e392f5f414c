import pytest

from devtools.stack.facts import percentile


@pytest.mark.parametrize(
    ("values", "share", "result"),
    [
        ([], 0.5, 0.0),
        ([1], 0.95, 1),
        ([3, 1, 2], 0.5, 2),
        (list(range(1, 101)), 0.95, 95),
        (list(range(1, 101)), 0.99, 99),
        ([1, 2], 1.0, 2),
    ],
)
def test_percentile(values, share, result):
    assert percentile(values, share) == result
