"""How long the effects of a fault last."""

import math

import pytest

from devtools.chaos.checker import promised
from devtools.chaos.faults import BY_NAME
from devtools.chaos.recovery import InjectedFault, impact_of
from devtools.chaos.workload import Result
from tests.devtools.chaos.examples import call, operation

INJECTED = InjectedFault(fault=BY_NAME["broker stopped"], began_at=100.0, ended_at=103.0)
ADA, BOB, EVE = (("welcome", f"{name}@x.example") for name in ("ada", "bob", "eve"))


@pytest.mark.parametrize(
    ("why", "operations", "accepted_at", "recovery_s"),
    [
        ("no promises", [], {}, 0.0),
        ("all accepted before the end", [operation("ada@x.example")], {ADA: 102.0}, 0.0),
        ("one accepted later", [operation("ada@x.example"), operation("bob@x.example")], {ADA: 101.0, BOB: 107.5}, 4.5),
        (
            "requested long after",
            [operation("ada@x.example"), operation("bob@x.example", at=106)],
            {ADA: 104, BOB: 119},
            1.0,
        ),
        (
            "requested shortly after, on time",
            [operation("ada@x.example"), operation("bob@x.example", at=104)],
            {ADA: 103, BOB: 106},
            0.0,
        ),
        (
            "requested shortly after, late",
            [operation("ada@x.example"), operation("bob@x.example", at=104)],
            {ADA: 103, BOB: 109},
            6.0,
        ),
        ("rejected", [operation("ada@x.example", result=Result.REJECTED)], {}, 0.0),
        ("one never accepted", [operation("ada@x.example")], {}, math.inf),
    ],
)
def test_recovery_ends_when_every_promised_email_is_accepted(why, operations, accepted_at, recovery_s):
    assert impact_of(INJECTED, operations, promised(operations), accepted_at, [], set()).recovery_s == recovery_s, why


def test_uncertain_facts_are_left_out():
    operations = [operation(f"{name}@x.example") for name in ("ada", "bob", "eve")]
    calls = [
        call("ada@x.example", "m1", ended="cut"),
        call("bob@x.example", "m2"),
        call("eve@x.example", "m3", ended="refused"),
    ]
    accepted_at = {ADA: 150.0, BOB: 160.0, EVE: 104.0}
    assert impact_of(INJECTED, operations, promised(operations), accepted_at, calls, {("m2", "1")}).recovery_s == 1.0


@pytest.mark.parametrize(
    ("changes", "lost", "affected"),
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
def test_affected_are_the_calls_without_a_normal_answer_during_it(changes, lost, affected):
    assert impact_of(INJECTED, [], [], {}, [call("ada@x.example", "m1", **changes)], lost).affected == affected


def test_waits_and_rejections_are_those_during_it():
    operations = [
        operation("ada@x.example", at=101, took_s=0.2),
        operation("bob@x.example", at=99, took_s=9),
        operation("eve@x.example", at=102, result=Result.REJECTED, took_s=8),
    ]
    seen = impact_of(INJECTED, operations, promised(operations), {ADA: 101, BOB: 101}, [], set())
    assert (seen.rejected, seen.sign_up_p99_ms) == (1, 200)
