"""The rules of a circuit, as tables. The clock is a number."""

from dataclasses import replace

import pytest

from notifications.breaker.circuit import (
    CLOSED,
    CONSECUTIVE_FAILURES,
    FAILURES,
    OPENED_BY_OPERATOR_S,
    SIGNALS,
    Allow,
    AllowProbe,
    Block,
    Signal,
    admission,
    answered,
    closed_by_operator,
    opened_by_operator,
    probing,
    released,
)
from notifications.rules.retry import ErrorClass

NOW = 1_000_000.0
DOWN, AMBIGUOUS, REFUSED = ErrorClass.TRANSIENT, ErrorClass.AMBIGUOUS, ErrorClass.MISCONFIGURED
THROTTLED, BAD_MESSAGE, TAKEN = ErrorClass.RATE_LIMITED, ErrorClass.PERMANENT, None


def after(*answers, start=CLOSED, now=NOW):
    for answer in answers:
        start = answered(start, now, answer, "code")
    return start


def probe_of(circuit, now, *, prober="me"):
    return probing(circuit, now, prober=prober, lease_s=20.0)


OPEN = after(*[DOWN] * CONSECUTIVE_FAILURES)
PROBED = probe_of(OPEN, NOW + 2)


def test_every_class_of_answer_has_a_signal():
    assert set(SIGNALS) == {None, *ErrorClass}
    assert {answer for answer in SIGNALS if SIGNALS[answer] in {Signal.FAILS, Signal.REFUSES_US}} == FAILURES


@pytest.mark.parametrize(
    ("why", "answers", "failures", "is_open"),
    [
        ("a failure is counted", [DOWN], 1, False),
        ("one too few", [DOWN] * 4, 4, False),
        ("enough in a row", [DOWN] * 5, 0, True),
        ("a lost answer is a failure too", [DOWN, AMBIGUOUS, DOWN, AMBIGUOUS, AMBIGUOUS], 0, True),
        ("a success resets the count", [*[DOWN] * 4, TAKEN, *[DOWN] * 4], 4, False),
        ("a refused message shows that the provider works", [*[DOWN] * 4, BAD_MESSAGE, DOWN], 1, False),
        ("a rate limit is neither", [*[DOWN] * 4, THROTTLED, DOWN], 0, True),
        ("however many", [THROTTLED] * 50, 0, False),
        ("a broken set-up opens immediately", [REFUSED], 0, True),
        ("success after success", [TAKEN] * 3, 0, False),
    ],
)
def test_closed_circuit_opens(why, answers, failures, is_open):
    circuit = after(*answers)
    assert (circuit.failures, circuit.is_open) == (failures, is_open), why


def test_closed_circuit_without_failures_is_the_same_whatever_was_before():
    assert after(*[DOWN] * 4, TAKEN) == CLOSED
    assert answered(PROBED, NOW + 3, TAKEN, "", prober="me") == CLOSED


@pytest.mark.parametrize(
    ("why", "circuit", "now", "expected"),
    [
        ("closed", CLOSED, NOW, Allow()),
        ("closed with failures", after(DOWN), NOW, Allow()),
        ("just opened", OPEN, NOW, Block(2.0)),
        ("half of its pause", OPEN, NOW + 1, Block(1.0)),
        ("its pause is over", OPEN, NOW + 2, AllowProbe()),
        ("long over", OPEN, NOW + 1e9, AllowProbe()),
        ("a probe is running", PROBED, NOW + 3, Block(19.0)),
        ("the prober was lost", PROBED, NOW + 22, AllowProbe()),
        ("opened by a clock that was ahead", OPEN, NOW - 3600, AllowProbe()),
        ("probed by a clock that was ahead", PROBED, NOW - 3600, AllowProbe()),
    ],
)
def test_admission(why, circuit, now, expected):
    assert admission(circuit, now) == expected, why


@pytest.mark.parametrize(
    ("error_class", "open_s"),
    [
        (DOWN, [2, 4, 8, 16, 30, 30]),
        (AMBIGUOUS, [2, 4, 8, 16, 32, 60, 60]),
        (REFUSED, [5, 10, 20, 40, 60, 60]),
    ],
)
def test_each_failed_probe_lengthens_the_pause_up_to_a_bound(error_class, open_s):
    circuit, now = after(*[error_class] * CONSECUTIVE_FAILURES), NOW
    seen = [circuit.open_s]
    while len(seen) < len(open_s):
        now += circuit.open_s
        circuit = answered(probe_of(circuit, now), now + 1, error_class, "code", prober="me")
        assert admission(circuit, now + 1) == Block(circuit.open_s)
        now += 1
        seen.append(circuit.open_s)
    assert seen == open_s
    assert circuit.since == NOW


def test_outage_of_weeks_overflows_nothing():
    assert replace(OPEN, trips=100_000).trips == 100_000
    circuit = probe_of(replace(OPEN, trips=100_000), NOW + 9)
    assert answered(circuit, NOW + 9, DOWN, "", prober="me").open_s == 30


def test_one_probe_at_a_time():
    assert PROBED.prober == "me"
    assert probe_of(PROBED, NOW + 3, prober="you") == PROBED
    assert probe_of(PROBED, NOW + 22, prober="you").prober == "you"
    assert probe_of(CLOSED, NOW) == CLOSED
    assert probe_of(OPEN, NOW + 1) == OPEN


LATE = probe_of(PROBED, NOW + 22, prober="you")


@pytest.mark.parametrize(
    ("why", "circuit", "answer", "prober", "trips"),
    [
        ("the probe's success closes", PROBED, TAKEN, "me", 0),
        ("a refused message", PROBED, BAD_MESSAGE, "me", 0),
        ("a rate limit is not an outage", PROBED, THROTTLED, "me", 0),
        ("the probe's failure opens again", PROBED, DOWN, "me", 2),
        ("an ambiguous probe", PROBED, AMBIGUOUS, "me", 2),
        ("a probe that finds a broken set-up", PROBED, REFUSED, "me", 2),
        ("success of an earlier call", OPEN, TAKEN, "", 1),
        ("failure of an earlier call", OPEN, DOWN, "", 1),
        ("failure of an earlier call during a probe", PROBED, DOWN, "", 1),
        ("a lost prober's late failure", LATE, DOWN, "me", 1),
        ("a lost prober's late throttling", LATE, THROTTLED, "me", 1),
        ("a lost prober's late success", LATE, TAKEN, "me", 0),
        ("a late probe's failure when it has closed counts as one", CLOSED, DOWN, "me", 0),
    ],
)
def test_only_probes_change_an_open_circuit(why, circuit, answer, prober, trips):
    assert answered(circuit, NOW + 23, answer, "code", prober=prober).trips == trips, why


def test_failed_probe_updates_the_reason():
    circuit = answered(PROBED, NOW + 3, REFUSED, "bad-key", prober="me")
    assert (circuit.error_class, circuit.code, circuit.prober) == ("misconfigured", "bad-key", "")


def test_unanswered_probe_makes_the_next_one_due():
    assert admission(released(PROBED, "me"), NOW + 3) == AllowProbe()
    assert released(PROBED, "you") == PROBED
    assert released(CLOSED, "me") == CLOSED


def test_operator_opens_a_circuit_until_a_probe_succeeds():
    opened = opened_by_operator(CLOSED, 100.0)
    assert admission(opened, 101.0) == Block(OPENED_BY_OPERATOR_S - 1)
    assert not opened.blames_one_message
    probed = probing(opened, 100.0 + OPENED_BY_OPERATOR_S, prober="a", lease_s=10.0)
    assert probed.prober == "a"
    assert answered(probed, 131.0, None, "", prober="a") == CLOSED
    assert answered(probed, 131.0, ErrorClass.TRANSIENT, "x", prober="a", message="1").is_open


def test_operator_closes_any_circuit():
    assert closed_by_operator(opened_by_operator(CLOSED, 100.0), 101.0) == CLOSED
