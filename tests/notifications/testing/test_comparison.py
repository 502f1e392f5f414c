"""What the journal proves, as a table."""

import pytest

from notifications.testing.proof.comparison import Comparison, Proof, compare, complaints
from notifications.testing.proof.journal import JournalEntry


def copies(*ids_and_names):
    return [
        JournalEntry(message_id=message_id, address=name, accepted_at=float(place))
        for place, (message_id, name) in enumerate(ids_and_names)
    ]


@pytest.mark.parametrize(
    ("journal", "in_hand", "held", "expected"),
    [
        ([("1", "ada"), ("2", "bob")], [], [], {"sent": 2}),
        ([("1", "ada")], [], [], {"sent": 1, "lost": ["bob"]}),
        ([("1", "ada")], [], ["bob"], {"sent": 1, "held": ["bob"]}),
        # A second copy, with and without a killed worker as its reason.
        ([("1", "ada"), ("2", "bob"), ("2", "bob")], ["2"], [], {"sent": 3, "duplicated": ["bob"]}),
        (
            [("1", "ada"), ("2", "bob"), ("2", "bob")],
            ["1"],
            [],
            {"sent": 3, "duplicated": ["bob"], "unexplained": ["bob"]},
        ),
        # One lost answer explains one copy.
        (
            [("1", "ada"), ("2", "bob"), ("2", "bob"), ("2", "bob")],
            ["2"],
            [],
            {"sent": 4, "duplicated": ["bob", "bob"], "unexplained": ["bob"]},
        ),
        # Another message to the same address is no copy of the lost one.
        (
            [("1", "ada"), ("2", "bob"), ("3", "bob")],
            ["2"],
            [],
            {"sent": 3, "duplicated": ["bob"], "unexplained": ["bob"]},
        ),
        # An administrator gets one email for each.
        ([("1", "ada"), ("2", "bob"), ("3", "root"), ("4", "root")], [], [], {"sent": 2}),
        # The rejected request's email was sent twice.
        (
            [("1", "ada"), ("2", "bob"), ("9", "eve"), ("9", "eve")],
            [],
            [],
            {"sent": 2, "duplicated": ["eve"], "unexplained": ["eve"]},
        ),
    ],
)
def test_journal_is_judged(journal, in_hand, held, expected):
    nothing = {"held": [], "lost": [], "duplicated": [], "unexplained": []}
    assert compare({"ada", "bob"}, copies(*journal), in_hand, held) == Comparison(accepted=2, **(nothing | expected))


def proof(**given):
    nothing = {"accepted": 2, "sent": 2, "held": [], "lost": [], "duplicated": [], "unexplained": []}
    return Proof(comparison=Comparison(**(nothing | given)), uncertain_settled=1, rejected=0, took_s=31.04)


def test_summary_is_one_line_of_figures():
    assert str(proof(duplicated=["ada"])) == (
        "prove: accepted=2 sent=2 held=0 lost=0 duplicated=1 unexplained_duplicates=0 uncertain_settled=1 rejected=0"
        " took_s=31.0"
    )


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, []),
        ({"held": ["ada"], "duplicated": ["ada"]}, []),
        ({"lost": ["ada"]}, ["ada (dead)"]),
        ({"lost": ["bob"]}, ["bob"]),
        ({"unexplained": ["ada"]}, ["ada"]),
        ({"accepted": 0}, ["0"]),
        ({"lost": [f"person-{number}" for number in range(12)]}, ["12"]),
    ],
)
def test_failures_are_named(given, named):
    found = list(complaints(proof(**given), {"ada": "dead"}))
    assert len(found) == len(named)
    if given.get("accepted") != 0:
        assert all(name in text for name, text in zip(named, found, strict=True))
