import re
from itertools import product
from pathlib import Path

import pytest

import notifications
from notifications.rules import states
from notifications.rules.states import Event, Ignored, Status


def test_table_is_total_and_each_ignored_event_has_a_reason():
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


def test_no_sql_contains_a_value_of_the_rules():
    """Statements take these values as parameters, so that a renamed value does not survive in SQL."""
    literal = re.compile(r"\b(status|reason|state|result|bounce|stream|outcome) *(=|<>|(NOT )?IN) *\(?'\w")
    root = Path(notifications.__file__).parent
    modules = [path for path in root.rglob("*.py") if "migrations" not in path.parts]
    assert [path.name for path in modules if literal.search(path.read_text())] == []
