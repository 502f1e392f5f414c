"""The schedule of faults: reproducible, with every fault, one at a time."""

import itertools

import pytest

from devtools.chaos.__main__ import PEOPLE, SLOWEST, programme_of
from devtools.chaos.conditions import LEASE_S
from devtools.chaos.faults import BY_NAME, FAULTS, SETTLED_S, WORKERS, Action
from devtools.chaos.schedule import LEAD_S, SHORT_S, left_out, needed_s, plan, plan_short

SEEDS = range(12)
UNCERTAIN = ("cut", "hang", "half", "killed", "past its lease")


def test_same_seed_gives_the_same_schedule():
    assert plan(7, 200, FAULTS) == plan(7, 200, FAULTS)
    assert plan(7, 200, FAULTS) != plan(8, 200, FAULTS)
    assert plan_short(7) == plan_short(7)


@pytest.mark.parametrize("seed", SEEDS)
def test_long_run_has_every_fault(seed):
    schedule = plan(seed, needed_s(FAULTS), FAULTS)
    assert list(left_out(schedule, FAULTS)) == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("duration_s", [5, 60, 400, 1500])
def test_fault_begins_after_the_effects_of_the_one_before(seed, duration_s):
    schedule = plan(seed, duration_s, FAULTS)
    assert all(before.over_s <= after.start_s for before, after in itertools.pairwise(schedule))
    assert all(planned.start_s >= LEAD_S and planned.over_s <= duration_s for planned in schedule)


def test_no_fault_comes_twice_before_all_have_come_once():
    schedule = plan(3, 3 * needed_s(FAULTS), FAULTS)
    first = [planned.fault.name for planned in schedule[: len(FAULTS)]]
    assert sorted(first) == sorted(BY_NAME)
    assert len(schedule) > 2 * len(FAULTS)


def test_run_without_time_has_no_faults():
    assert plan(1, LEAD_S, FAULTS) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_short_run_fits_and_makes_no_message_uncertain_twice(seed):
    schedule = plan_short(seed)
    assert all(before.end_s < after.start_s for before, after in itertools.pairwise(schedule))
    assert schedule[-1].end_s < SHORT_S
    doubtful = [planned for planned in schedule if any(result in planned.fault.name for result in UNCERTAIN)]
    assert len(doubtful) >= 3
    assert all(one.end_s + SETTLED_S <= other.start_s for one, other in itertools.pairwise(doubtful))


def test_every_kind_of_fault_is_there():
    actions = {(fault.action, fault.target) for fault in FAULTS}
    processes = {*WORKERS, "relay"}
    assert {(act, process) for act in (Action.KILL, Action.FREEZE) for process in processes} <= actions
    assert {(Action.STOP, "valkey"), (Action.FREEZE, "valkey"), (Action.WIPE, "valkey")} <= actions
    assert {(Action.STOP, "postgres"), (Action.CRASH, "postgres")} <= actions
    assert any(fault.action is Action.FREEZE and fault.lasts_s > LEASE_S for fault in FAULTS)
    assert all(fault.apart_s for fault in FAULTS if fault.name.startswith("sendgrid"))
    assert len(BY_NAME) == len(FAULTS)


@pytest.mark.parametrize(
    ("arguments", "people", "rate"),
    [
        ([], PEOPLE, PEOPLE / needed_s(FAULTS)),
        (["--people", "2000"], 2000, 2000 / needed_s(FAULTS)),
        (["--people", "9000"], 9000, 10.0),
        (["--people", "100"], 100, SLOWEST),
        (["--short"], 300, 300 / SHORT_S),
    ],
)
def test_rate_fits_the_faults_within_its_limits(arguments, people, rate):
    chosen = programme_of([*arguments, "--seed", "7"])
    assert (chosen.people, chosen.seed) == (people, 7)
    assert chosen.rate == pytest.approx(rate)


def test_default_run_has_every_fault():
    assert list(left_out(programme_of(["--seed", "7"]).schedule, FAULTS)) == []


@pytest.mark.parametrize("arguments", [["--people", "0"], ["--people", "x"], ["--seed"], ["up"]])
def test_invalid_arguments_are_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        programme_of(arguments)
    assert "usage" in capsys.readouterr().err
