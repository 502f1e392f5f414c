"""Outcomes of emails and their reports."""

import pytest

from devtools.simulator.controls import Controls
from devtools.simulator.outcomes import EVENTS, Event, Outcome, outcome_of, planned

NUMBERS = range(1, 41)


def plans(**controls):
    return [
        [(due.event, due.due_s, due.lost) for due in planned(Outcome.DEFERRED, Controls(**controls), number)]
        for number in NUMBERS
    ]


@pytest.mark.parametrize(
    ("address", "outcome"),
    [
        ("bounce@example.com", Outcome.BOUNCED),
        ("Bounce+7@example.com", Outcome.BOUNCED),
        ("softbounce@example.com", Outcome.SOFT_BOUNCED),
        ("complaint@example.com", Outcome.COMPLAINED),
        ("deferred@example.com", Outcome.DEFERRED),
        ("ooto@example.com", Outcome.AUTO_REPLIED),
        ("suppressed@example.com", Outcome.SUPPRESSED),
        ("ada@bounce.example.com", Outcome.DELIVERED),
    ],
)
def test_local_part_names_the_outcome(address, outcome):
    assert outcome_of(address, Controls(), 1, listed=False) is outcome


def test_listed_address_is_suppressed_unless_it_names_its_outcome():
    assert outcome_of("ada@example.com", Controls(), 1, listed=True) is Outcome.SUPPRESSED
    assert outcome_of("bounce@example.com", Controls(), 1, listed=True) is Outcome.BOUNCED


def test_rates_decide_the_outcomes():
    controls = Controls(bounce_rate=0.2, complaint_rate=0.1, deferred_rate=0.3, seed=3)
    outcomes = [outcome_of("ada@example.com", controls, number, listed=False) for number in range(3000)]
    shares = [
        outcomes.count(outcome) / 3000
        for outcome in (Outcome.BOUNCED, Outcome.COMPLAINED, Outcome.DEFERRED, Outcome.DELIVERED)
    ]
    assert shares == pytest.approx([0.2, 0.1, 0.3, 0.4], abs=0.03)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_is_reported_in_order_without_faults(outcome):
    reports = planned(outcome, Controls(), 1)
    assert tuple(due.event for due in reports) == EVENTS[outcome]
    assert [due.due_s for due in reports] == [due.happened_s for due in reports] == sorted(due.due_s for due in reports)
    assert not any(due.lost for due in reports)


@pytest.mark.parametrize(
    "faults",
    [
        {"webhook_lost_rate": 0.4},
        {"webhook_doubled_rate": 0.4},
        {"webhook_shuffle": True},
        {"webhook_lost_rate": 0.3, "webhook_doubled_rate": 0.3, "webhook_delay_ms": 700, "webhook_shuffle": True},
    ],
)
def test_faults_repeat_with_the_seed(faults):
    assert plans(seed=1, **faults) == plans(seed=1, **faults)
    assert plans(seed=1, **faults) != plans(seed=2, **faults)
    assert plans(seed=1, **faults) != plans(seed=1)


def test_lost_reports_match_the_rate():
    lost = [lost for plan in plans(webhook_lost_rate=0.4) for _, _, lost in plan]
    assert sum(lost) / len(lost) == pytest.approx(0.4, abs=0.12)


def test_doubled_report_is_repeated_later():
    for plan in plans(webhook_doubled_rate=1):
        for event in EVENTS[Outcome.DEFERRED]:
            first, second = (due_s for reported, due_s, _ in plan if reported is event)
            assert second > first


def test_late_reports_have_the_time_of_the_event():
    for due in planned(Outcome.DELIVERED, Controls(webhook_delay_ms=5000), 1):
        assert due.due_s == pytest.approx(due.happened_s + 5)


def test_shuffled_reports_are_all_there_and_some_are_out_of_order():
    orders = [tuple(event for event, _, _ in plan) for plan in plans(webhook_shuffle=True)]
    assert all(set(order) == {Event.ACCEPTED, Event.DEFERRED, Event.DELIVERED} for order in orders)
    assert len(set(orders)) > 3
