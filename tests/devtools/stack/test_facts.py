import pytest

from devtools.stack.facts import OTHER, kind_of, percentile
from tests.devtools.chaos.examples import subject_of


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


@pytest.mark.parametrize("kind", ["welcome", "password-reset", "password-changed", "account-exists"])
def test_kind_is_known_by_its_subject(kind):
    assert kind_of(subject_of(kind)) == kind


def test_other_subjects_are_announcements():
    assert kind_of("Our autumn offers") == OTHER
