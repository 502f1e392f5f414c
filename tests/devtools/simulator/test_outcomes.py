"""What becomes of a mail and what is reported of it: pure."""

import pytest

from devtools.simulator.controls import Dials
from devtools.simulator.outcomes import STORY, Event, Fate, fate_of, planned

NUMBERS = range(1, 41)


def plans(**dials):
    return [
        [(due.event, due.due_s, due.lost) for due in planned(Fate.DEFERRED, Dials(**dials), number)]
        for number in NUMBERS
    ]


@pytest.mark.parametrize(
    ("address", "fate"),
    [
        ("bounce@example.com", Fate.BOUNCED),
        ("Bounce+7@example.com", Fate.BOUNCED),
        ("softbounce@example.com", Fate.SOFT_BOUNCED),
        ("complaint@example.com", Fate.COMPLAINED),
        ("deferred@example.com", Fate.DEFERRED),
        ("ooto@example.com", Fate.AUTO_REPLIED),
        ("suppressed@example.com", Fate.SUPPRESSED),
        ("ada@bounce.example.com", Fate.DELIVERED),
    ],
)
def test_local_part_names_the_fate(address, fate):
    assert fate_of(address, Dials(), 1, listed=False) is fate


def test_listed_address_is_suppressed_unless_it_names_its_fate():
    assert fate_of("ada@example.com", Dials(), 1, listed=True) is Fate.SUPPRESSED
    assert fate_of("bounce@example.com", Dials(), 1, listed=True) is Fate.BOUNCED


def test_rates_share_out_the_fates():
    dials = Dials(bounce_rate=0.2, complaint_rate=0.1, deferred_rate=0.3, seed=3)
    fates = [fate_of("ada@example.com", dials, number, listed=False) for number in range(3000)]
    shares = [fates.count(fate) / 3000 for fate in (Fate.BOUNCED, Fate.COMPLAINED, Fate.DEFERRED, Fate.DELIVERED)]
    assert shares == pytest.approx([0.2, 0.1, 0.3, 0.4], abs=0.03)


@pytest.mark.parametrize("fate", list(Fate))
def test_every_fate_is_told_in_order_when_nothing_harms(fate):
    told = planned(fate, Dials(), 1)
    assert tuple(due.event for due in told) == STORY[fate]
    assert [due.due_s for due in told] == [due.happened_s for due in told] == sorted(due.due_s for due in told)
    assert not any(due.lost for due in told)


@pytest.mark.parametrize(
    "harm",
    [
        {"webhook_lost_rate": 0.4},
        {"webhook_doubled_rate": 0.4},
        {"webhook_shuffle": True},
        {"webhook_lost_rate": 0.3, "webhook_doubled_rate": 0.3, "webhook_delay_ms": 700, "webhook_shuffle": True},
    ],
)
def test_harm_repeats_with_the_seed(harm):
    assert plans(seed=1, **harm) == plans(seed=1, **harm)
    assert plans(seed=1, **harm) != plans(seed=2, **harm)
    assert plans(seed=1, **harm) != plans(seed=1)


def test_lost_reports_are_about_as_many_as_the_rate_says():
    lost = [lost for plan in plans(webhook_lost_rate=0.4) for _, _, lost in plan]
    assert sum(lost) / len(lost) == pytest.approx(0.4, abs=0.12)


def test_doubled_report_comes_again_later():
    for plan in plans(webhook_doubled_rate=1):
        for event in STORY[Fate.DEFERRED]:
            first, second = (due_s for told, due_s, _ in plan if told is event)
            assert second > first


def test_late_reports_are_late_but_tell_when_it_happened():
    for due in planned(Fate.DELIVERED, Dials(webhook_delay_ms=5000), 1):
        assert due.due_s == pytest.approx(due.happened_s + 5)


def test_shuffled_reports_are_all_there_and_some_are_out_of_order():
    orders = [tuple(event for event, _, _ in plan) for plan in plans(webhook_shuffle=True)]
    assert all(set(order) == {Event.ACCEPTED, Event.DEFERRED, Event.DELIVERED} for order in orders)
    assert len(set(orders)) > 3
