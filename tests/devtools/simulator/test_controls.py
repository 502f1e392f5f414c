"""Dials and chance: pure."""

import pytest

from devtools.simulator.chance import draw
from devtools.simulator.controls import BadDialError, Dials
from devtools.simulator.controls_form import filled_in, groups
from devtools.simulator.faults import Fault


def met(dials, sends):
    faults = []
    for number in range(1, sends + 1):
        fault, dials = dials.next_send(number)
        faults.append(fault)
    return faults


def test_chance_is_the_same_for_the_same_seed_and_another_for_another():
    assert [draw(7, "lost", n) for n in range(9)] == [draw(7, "lost", n) for n in range(9)]
    assert draw(7, "lost", 1) != draw(8, "lost", 1)
    assert draw(7, "lost", 1) != draw(7, "doubled", 1)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 1.0])
def test_chance_keeps_to_a_rate(rate):
    assert sum(draw(1, "x", number) < rate for number in range(5000)) / 5000 == pytest.approx(rate, abs=0.03)


@pytest.mark.parametrize(
    ("dials", "faults"),
    [
        ({}, "none none none"),
        ({"fail_next": 2}, "status status none"),
        ({"fault": "cut_after"}, "none none none"),
        ({"fault": "cut_after", "fault_next": 1}, "cut_after none none"),
        ({"fault": "hang_before", "fault_rate": 1}, "hang_before hang_before hang_before"),
        ({"fault": "status", "fault_next": 1}, "status none none"),
        ({"error_rate": 1, "fault": "dribble", "fault_rate": 1}, "status status status"),
        ({"fail_next": 1, "fault": "dribble", "fault_next": 1}, "status dribble none"),
    ],
)
def test_send_meets_what_the_dials_say(dials, faults):
    assert met(Dials().turned(dials), 3) == [Fault(name) for name in faults.split()]


def test_faults_by_rate_repeat_with_the_seed():
    dials = Dials(fault=Fault.CUT_AFTER, fault_rate=0.4, error_rate=0.2, seed=5)
    assert met(dials, 50) == met(dials, 50)
    assert met(dials, 50) != met(dials.turned({"seed": 6}), 50)
    assert {Fault.NONE, Fault.STATUS, Fault.CUT_AFTER} == set(met(dials, 50))


@pytest.mark.parametrize(
    ("dial", "value", "said"),
    [
        ("latency_ms", -1, "goes from 0"),
        ("latency_ms", "soon", "needs a whole number"),
        ("error_rate", "nan", "goes from 0 to 1"),
        ("hang_s", "inf", "goes from 0 to 600"),
        ("hang_s", True, "needs a number"),
        ("fault", "explode", "hang_before"),
        ("webhook_shuffle", "perhaps", "true or false"),
        ("error_text", "two\nlines", "one line"),
        ("error_text", "x" * 201, "200"),
        ("no_such", 1, "There is no dial"),
    ],
)
def test_dial_that_cannot_be_turned_there_is_said(dial, value, said):
    with pytest.raises(BadDialError, match=said) as refused:
        Dials().turned({dial: value})
    assert str(refused.value).endswith(".")


def test_form_shows_what_all_agree_on_and_leaves_the_rest_as_it_is():
    form = groups([Dials(latency_ms=5, webhook_shuffle=True), Dials(latency_ms=6, webhook_shuffle=True)])
    values = {field.name: field.value for fields in form.values() for field in fields}
    assert (values["latency_ms"], values["webhook_shuffle"], values["fault"]) == ("", "true", "none")
    assert filled_in({**values, "seed": "9"})["webhook_shuffle"] == "true"
    assert "latency_ms" not in filled_in(values)
    assert Dials(latency_ms=6).turned(filled_in(values)).latency_ms == 6
