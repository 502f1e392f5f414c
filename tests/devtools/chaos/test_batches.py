"""When the part of a run with batches fails."""

import pytest

from devtools.chaos.batches import BATCH, FAULTS, INVALID, READERS, BatchFigures, complaints, readers, unaccepted
from devtools.chaos.checker import Duplicate
from devtools.simulator.controls import Controls
from tests.devtools.chaos.examples import entry
from tests.devtools.chaos.test_recipients import verdict

ADA = ("product-news", "ada@x.example")
TWICE = Duplicate(fact=ADA, message_id="m1", provider="sendgrid", accepted_at="", why="explained")


def figures(**changes):
    values = {"verdict": verdict(), "largest": BATCH, "in_hand": 5, "held": [ADA], "unsettled": [], "dead": []}
    values["held_without_cause"] = []
    return BatchFigures(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({}, 0),
        ({"dead": [("product-news", "invalid1-1@example.com")]}, 0),
        ({"dead": [ADA]}, 1),
        ({"verdict": verdict(lost=[ADA])}, 1),
        ({"verdict": verdict(duplicates=[TWICE])}, 1),
        ({"unsettled": [ADA]}, 1),
        ({"held_without_cause": [ADA]}, 1),
        ({"largest": 1}, 1),
        ({"in_hand": 0}, 1),
    ],
)
def test_each_failure_is_named(changes, number):
    assert len(list(complaints(figures(**changes)))) == number


def test_held_email_that_was_accepted_is_promised():
    held = [ADA, ("product-news", "bob@x.example")]
    assert unaccepted(held, [entry("ada@x.example", "m1", subject="What is new")]) == {held[1]}


def test_readers_of_two_steps_differ_and_few_are_invalid():
    first, second = set(readers(1)), set(readers(2))
    assert (len(first), first & second) == (READERS, set())
    assert 1 < sum(address.startswith(INVALID) for address in first) <= READERS // BATCH + 1


def test_controls_of_each_fault_exist():
    for controls in FAULTS.values():
        Controls().changed(controls)
