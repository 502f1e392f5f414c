"""How many messages go together, judged by the provider's last calls."""

import pytest

from notifications.budget.terms import USE_WITHIN_S
from notifications.delivery import speed
from notifications.delivery.part import calls_within
from notifications.delivery.speed import RECENT, note_call

FAST, SLOW = 0.01, 1.0


@pytest.fixture(autouse=True)
def _unknown():
    speed.recent.clear()
    yield
    speed.recent.clear()


def group():
    return calls_within(USE_WITHIN_S, "scripted")


def called(seconds, *, times=1, is_accepted=True):
    for _ in range(times):
        note_call("scripted", seconds, is_accepted=is_accepted)


def test_first_group_is_one_message():
    assert group() == 1


def test_calls_that_waited_for_other_threads_do_not_make_groups_small():
    called(FAST)
    called(SLOW, times=RECENT - 1)
    assert group() == 10


def test_provider_that_has_become_slow_gets_one_message_at_a_time():
    called(FAST, times=RECENT)
    called(SLOW, times=RECENT)
    assert group() == 1


def test_provider_that_has_become_fast_gets_groups():
    called(SLOW, times=RECENT)
    called(FAST)
    assert group() == 10


def test_failure_is_never_a_fast_call():
    called(SLOW)
    called(FAST, times=RECENT, is_accepted=False)
    assert group() == 1


def test_provider_whose_calls_time_out_is_slow():
    called(FAST)
    called(SLOW, times=RECENT, is_accepted=False)
    assert group() == 1


def test_speed_of_one_provider_says_nothing_about_another():
    called(FAST)
    note_call("another", SLOW, is_accepted=True)
    assert (group(), calls_within(USE_WITHIN_S, "another")) == (10, 1)
