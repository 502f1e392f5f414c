"""Controls and random draws."""

import pytest

from devtools.simulator.chance import draw
from devtools.simulator.controls import BadControlError, Controls
from devtools.simulator.controls_form import filled_in, groups
from devtools.simulator.faults import Fault


def met(controls, sends):
    faults = []
    for number in range(1, sends + 1):
        fault, controls = controls.next_send(number)
        faults.append(fault)
    return faults


def test_draws_depend_on_the_seed():
    assert [draw(7, "lost", n) for n in range(9)] == [draw(7, "lost", n) for n in range(9)]
    assert draw(7, "lost", 1) != draw(8, "lost", 1)
    assert draw(7, "lost", 1) != draw(7, "doubled", 1)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 1.0])
def test_draws_match_a_rate(rate):
    assert sum(draw(1, "x", number) < rate for number in range(5000)) / 5000 == pytest.approx(rate, abs=0.03)


@pytest.mark.parametrize(
    ("controls", "faults"),
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
def test_send_has_the_fault_of_the_controls(controls, faults):
    assert met(Controls().changed(controls), 3) == [Fault(name) for name in faults.split()]


def test_faults_by_rate_repeat_with_the_seed():
    controls = Controls(fault=Fault.CUT_AFTER, fault_rate=0.4, error_rate=0.2, seed=5)
    assert met(controls, 50) == met(controls, 50)
    assert met(controls, 50) != met(controls.changed({"seed": 6}), 50)
    assert {Fault.NONE, Fault.STATUS, Fault.CUT_AFTER} == set(met(controls, 50))


@pytest.mark.parametrize(
    ("control", "value"),
    [
        ("latency_ms", -1),
        ("latency_ms", "soon"),
        ("error_rate", "nan"),
        ("hang_s", "inf"),
        ("hang_s", True),
        ("fault", "explode"),
        ("webhook_shuffle", "perhaps"),
        ("error_text", "two\nlines"),
        ("error_text", "x" * 201),
        ("no_such", 1),
    ],
)
def test_unknown_control_or_value_is_refused_by_name(control, value):
    with pytest.raises(BadControlError, match=control):
        Controls().changed({control: value})


def test_form_shows_common_values_and_leaves_the_others_empty():
    form = groups([Controls(latency_ms=5, webhook_shuffle=True), Controls(latency_ms=6, webhook_shuffle=True)])
    values = {field.name: field.value for fields in form.values() for field in fields}
    assert (values["latency_ms"], values["webhook_shuffle"], values["fault"]) == ("", "true", "none")
    assert filled_in({**values, "seed": "9"})["webhook_shuffle"] == "true"
    assert "latency_ms" not in filled_in(values)
    assert Controls(latency_ms=6).changed(filled_in(values)).latency_ms == 6
