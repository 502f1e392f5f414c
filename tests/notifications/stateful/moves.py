"""What one act of the code has done to the rows, held against the table of states."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from notifications.models import Message
from notifications.rules import states
from notifications.rules.outcomes import RANK, Outcome
from notifications.rules.states import Event, Status

Rows = Mapping[UUID, Message]


@dataclass(frozen=True)
class Move:
    before: Message
    after: Message
    event: Event


def moves_between(before: Rows, after: Rows, may_happen: Collection[Event]) -> list[Move]:
    """Return what has moved. Every move is one that the table knows, by an event that the act may cause."""
    assert before.keys() <= after.keys(), "a message has vanished"
    found = []
    for message_id, old in before.items():
        new = after[message_id]
        # A hand-over that led to no call may be undone by whoever made it.
        assert new.attempts >= old.attempts or Event.RELEASED in may_happen
        assert RANK[Outcome(new.outcome)] >= RANK[Outcome(old.outcome)]
        if old.status != new.status:
            found.append(Move(old, new, _event(Status(old.status), Status(new.status), may_happen)))
        else:
            assert Event.CLAIMED not in may_happen or old.lease_token == new.lease_token, "a claim was taken away"
    return found


def _event(before: Status, after: Status, may_happen: Collection[Event]) -> Event:
    for event in may_happen:
        if states.TRANSITIONS[before][event] is after:
            return event
    raise AssertionError(f"{before} became {after}, and none of {sorted(may_happen)} leads there")
