from itertools import product

import pytest

from notifications.rules import states
from notifications.rules.states import Event, Ignored, Status


def test_table_is_total_and_every_odd_entry_says_why():
    for status, event in product(Status, Event):
        after = states.TRANSITIONS[status][event]
        assert isinstance(after, Status) or (isinstance(after, Ignored) and after.reason), (status, event)


@pytest.mark.parametrize("event", Event)
def test_event_leads_to_one_state_only(event):
    targets = {after for row in states.TRANSITIONS.values() if isinstance(after := row[event], Status)}
    assert targets == {states.target(event)}


def test_acceptance_is_never_ignored_before_it_was_recorded():
    assert set(states.sources(Event.ACCEPTED)) == set(Status) - {Status.SENT}


def test_only_a_queued_message_can_be_claimed():
    assert states.sources(Event.CLAIMED) == [Status.QUEUED]


def test_uncertain_message_is_only_queued_again_by_a_settlement():
    row = states.TRANSITIONS[Status.UNCERTAIN]
    assert [event for event in Event if row[event] is Status.QUEUED] == [Event.SETTLED]
