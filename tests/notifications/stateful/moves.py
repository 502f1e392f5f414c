"""Compare the changes of rows by one act with the table of states."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from notifications.models import Message, transitions
from notifications.rules import states
from notifications.rules.outcomes import RANK, Outcome
from notifications.rules.states import Event, Status

Rows = Mapping[UUID, Message]


@dataclass(frozen=True)
class Move:
    before: Message
    after: Message
    event: Event


@contextmanager
def collected_events() -> Iterator[dict[UUID, list[Event | None]]]:
    """Collect the events of each message from the listeners, None for its enqueue."""
    announced: dict[UUID, list[Event | None]] = defaultdict(list)

    def listen(transition: transitions.Transition) -> None:
        for message in transition.messages:
            announced[message.id].append(transition.event)

    transitions.LISTENERS.append(listen)
    try:
        yield announced
    finally:
        transitions.LISTENERS.remove(listen)


def moves_between(
    before: Rows, after: Rows, announced: Mapping[UUID, list[Event | None]], may_happen: Collection[Event]
) -> list[Move]:
    """Return the changes of status.

    Asserts that the table allows each, by an event that the act may cause, and that listeners got it once.
    """
    assert before.keys() <= after.keys(), "a message has vanished"
    assert {id_ for id_, events in announced.items() if events == [None]} == after.keys() - before.keys()
    found = []
    for message_id, old in before.items():
        new = after[message_id]
        # The worker may revert a hand-over without a call.
        assert new.attempts >= old.attempts or Event.RELEASED in may_happen
        assert RANK[Outcome(new.outcome)] >= RANK[Outcome(old.outcome)]
        if old.status != new.status:
            (event,) = announced[message_id]
            assert event is not None
            assert event in may_happen
            assert states.TRANSITIONS[Status(old.status)][event] is Status(new.status)
            found.append(Move(old, new, event))
        else:
            assert not announced.get(message_id), "listeners got an event without a change"
            assert Event.CLAIMED not in may_happen or old.lease_token == new.lease_token, "a claim was replaced"
    return found
