import pytest

from devtools.benchmarks.throughput.figures import (
    Figures,
    complaints,
    count_for,
    is_slowed_by_double,
    medians,
    rotated,
    waits_ms,
)

NAMES = ["a", "b", "c", "d"]


def figures(rate, **other):
    return Figures(name="a", delay_ms=0, count=10, emails_per_s=rate, **other)


def test_every_round_has_everyone_once():
    assert all(sorted(rotated(NAMES, number, 3)) == NAMES for number in range(3))


def test_no_contestant_is_always_first():
    assert len({rotated(NAMES, number, 2)[0] for number in range(2)}) == 2


def test_every_second_round_runs_backwards():
    assert rotated(NAMES, 0, 2) == ["a", "b", "c", "d"]
    assert rotated(NAMES, 1, 2) == ["b", "a", "d", "c"]


def test_waits_are_those_of_accepted_messages():
    enqueued = {f"{number}": 0.0 for number in range(100)} | {"lost": 0.0}
    accepted = {f"{number}": (number + 1) / 1000 for number in range(100)}
    assert waits_ms(enqueued, accepted) == pytest.approx((50.0, 99.0))


@pytest.mark.parametrize(
    ("sends", "delay_ms", "count"),
    [(1, 0, 10_000), (1, 100, 120), (50, 100, 6_000), (10, 100, 1_200), (1, 10_000, 50)],
)
def test_slow_contestants_get_fewer_messages(sends, delay_ms, count):
    assert count_for(10_000, sends=sends, delay_ms=delay_ms) == count


def test_medians_leave_failed_rounds_out():
    runs = [
        figures(1.0, problems=["x"]),
        figures(10.0, cpu_ms={"workers": 2.0}),
        figures(30.0, cpu_ms={"workers": 4.0}),
    ]
    found = medians(runs)
    assert (found.emails_per_s, found.all_cpu_ms, found.problems) == (20.0, 3.0, ["x"])


def test_medians_of_what_the_servers_did():
    runs = [figures(1.0, per_email={"commits": commits}) for commits in (1.0, 2.0, 6.0)]
    assert medians(runs).per_email == {"commits": 2.0}


def test_a_batch_is_one_request():
    runs = [figures(10_000.0, per_email={"requests": 1 / 500})]
    assert not is_slowed_by_double(runs, 2_000)


def test_a_wait_that_was_not_measured_stays_unknown():
    assert medians([figures(1.0)]).p50_ms is None


@pytest.mark.parametrize(("capacity", "slowed"), [(2000, False), (1999, True)])
def test_a_rate_near_the_capacity_of_the_double_is_reported(capacity, slowed):
    assert is_slowed_by_double([figures(10.0), figures(1000.0)], capacity) is slowed


@pytest.mark.parametrize(
    ("results", "count"),
    [
        ({"rejected": {}, "duplicates": {}, "accepted": {"a": 1.0}}, 0),
        ({"rejected": {"shape": 2}, "duplicates": {}, "accepted": {"a": 1.0}}, 1),
        ({"rejected": {}, "duplicates": {"a": 1}, "accepted": {"a": 1.0}}, 1),
        ({"rejected": {}, "duplicates": {}, "accepted": {}}, 1),
    ],
)
def test_complaints(results, count):
    assert len(complaints(1, results)) == count
