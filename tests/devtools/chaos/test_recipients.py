"""When the recipients' part of a run fails."""

import pytest

from devtools.chaos.checker import Verdict
from devtools.chaos.recipients import FULL, GREYLISTED, RecipientFigures, beside, complaints, summary
from devtools.chaos.workload import Result
from tests.devtools.chaos.examples import operation

ADA = ("welcome", "ada@x.example")


def verdict(**changes):
    values = {"accepted": 3, "sent": 3, "lost": [], "duplicates": [], "strays": []}
    return Verdict(**{**values, **changes})


def figures(**changes):
    values = {
        "verdict": verdict(),
        "alone_p99_s": 1.0,
        "beside_p99_s": 1.5,
        "refused": 9,
        "suspended": 2,
        "unsettled": [],
        "dead": [],
        "operations": [operation("ada@x.example")],
    }
    return RecipientFigures(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({}, 0),
        ({"verdict": verdict(lost=[ADA])}, 1),
        ({"unsettled": [ADA]}, 1),
        ({"dead": [ADA]}, 1),
        ({"operations": [operation("ada@x.example", result=Result.REJECTED)]}, 1),
        ({"beside_p99_s": 2.1}, 1),
        ({"refused": 0}, 1),
        ({"suspended": 0}, 1),
    ],
)
def test_each_failure_is_named(changes, number):
    assert len(list(complaints(figures(**changes)))) == number


def test_half_of_the_people_have_a_working_server_and_the_others_do_not():
    starts = [beside(number)[:6] for number in range(8)]
    assert [start for start in starts if start == "beside"] == ["beside"] * 4
    assert sum(start.startswith(FULL) for start in starts) == 2
    assert sum(start.startswith(GREYLISTED[:6]) for start in starts) == 2


def test_summary_gives_both_waits():
    assert "1.00 s" in summary(figures())
    assert "1.50 s" in summary(figures())
