"""How long a harm was felt."""

import math

import pytest

from devtools.chaos.checker import promised
from devtools.chaos.faults import BY_NAME
from devtools.chaos.recovery import Deed, felt
from devtools.chaos.workload import Word
from tests.devtools.chaos.told import call, said

DEED = Deed(fault=BY_NAME["broker stopped"], began_at=100.0, ended_at=103.0)
ADA, BOB, EVE = (("welcome", f"{name}@x.example") for name in ("ada", "bob", "eve"))


@pytest.mark.parametrize(
    ("why", "told", "taken_at", "recovery_s"),
    [
        ("nothing was promised", [], {}, 0.0),
        ("all had left before its end", [said("ada@x.example")], {ADA: 102.0}, 0.0),
        ("one left after it", [said("ada@x.example"), said("bob@x.example")], {ADA: 101.0, BOB: 107.5}, 4.5),
        ("promised long after", [said("ada@x.example"), said("bob@x.example", at=106)], {ADA: 104, BOB: 119}, 1.0),
        ("shortly after, as usual", [said("ada@x.example"), said("bob@x.example", at=104)], {ADA: 103, BOB: 106}, 0.0),
        ("shortly after, and late", [said("ada@x.example"), said("bob@x.example", at=104)], {ADA: 103, BOB: 109}, 6.0),
        ("turned away", [said("ada@x.example", word=Word.REFUSED)], {}, 0.0),
        ("one never left", [said("ada@x.example")], {}, math.inf),
    ],
)
def test_recovery_ends_when_all_that_was_promised_is_taken(why, told, taken_at, recovery_s):
    assert felt(DEED, told, promised(told), taken_at, [], set()).recovery_s == recovery_s, why


def test_what_waits_to_be_settled_is_left_out():
    told = [said(f"{name}@x.example") for name in ("ada", "bob", "eve")]
    calls = [
        call("ada@x.example", "m1", ended="cut"),
        call("bob@x.example", "m2"),
        call("eve@x.example", "m3", ended="refused"),
    ]
    taken_at = {ADA: 150.0, BOB: 160.0, EVE: 104.0}
    assert felt(DEED, told, promised(told), taken_at, calls, {("m2", "1")}).recovery_s == 1.0


@pytest.mark.parametrize(
    ("changes", "named", "hit"),
    [
        ({}, set(), 0),
        ({}, {("m1", "1")}, 1),
        ({"ended": "refused"}, set(), 1),
        ({"ended": "cut"}, set(), 1),
        ({"ended": "cut", "ended_at": "1970-01-01T00:01:39+00:00"}, set(), 0),
        ({"ended": "cut", "started_at": "1970-01-01T00:01:44+00:00"}, set(), 0),
        ({"ended": "", "ended_at": ""}, set(), 1),
    ],
)
def test_hit_is_what_was_not_answered_well_during_it(changes, named, hit):
    assert felt(DEED, [], [], {}, [call("ada@x.example", "m1", **changes)], named).hit == hit


def test_waits_and_refusals_are_those_during_it():
    told = [
        said("ada@x.example", at=101, took_s=0.2),
        said("bob@x.example", at=99, took_s=9),
        said("eve@x.example", at=102, word=Word.REFUSED, took_s=8),
    ]
    seen = felt(DEED, told, promised(told), {ADA: 101, BOB: 101}, [], set())
    assert (seen.refused, seen.sign_up_p99_ms) == (1, 200)
