"""The base of all rules: the last rows, the truth, and one way to act."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

import psycopg
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.strategies import just

from notifications import kinds
from notifications.models import Message
from notifications.rules.states import Event, Status
from tests.notifications.stateful import world
from tests.notifications.stateful.moves import Move, collected_events, moves_between
from tests.notifications.stateful.truth import Claim, Person, Story

T = TypeVar("T")


def when(possible: Callable[[Any], object]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a step that does nothing while it is impossible.

    With a precondition of Hypothesis, the drawn values would depend on the rows, and so on the speed of the machine.
    """

    def made(step: Callable[..., None]) -> Callable[..., None]:
        @wraps(step)
        def wrapped(self: Any, **drawn: object) -> None:
            if possible(self):
                step(self, **drawn)

        return wrapped

    return made


def one_of(things: list[T], pick: int) -> T:
    """Return one of `things` by a number that was drawn without knowing their count."""
    return things[pick % len(things)]


class _EveryRule:
    def is_enabled(self, name: str) -> bool:
        return True


class Scene(RuleBasedStateMachine):
    """A world with users only."""

    # Another connection to the database.
    other: ClassVar[psycopg.Connection]

    def __init__(self) -> None:
        super().__init__()
        # By default, Hypothesis omits half of the rules from an example. Here, most faults need most rules: without
        # this, five of six examples have no second hand-over.
        self._rules_strategy.enabled_rules_strategy = just(cast("Any", _EveryRule()))
        world.reset_world()
        self.people: list[Person] = []
        self.rows: dict[UUID, Message] = {}
        self.stories: dict[UUID, Story] = {}
        self.claims: list[Claim] = []
        # Tasks that were taken from the broker and have not begun.
        self.tasks: list[list[UUID]] = []

    def act(self, do: Callable[[], object], *may_happen: Event, by: Claim | None = None) -> list[Move]:
        """Act, and check the changes; `by` is the acting claim, which may only change its message."""
        with collected_events() as announced:
            do()
        before, self.rows = self.rows, Message.objects.in_bulk()
        for message_id in self.rows.keys() - before.keys():
            self.stories[message_id] = Story(kind=kinds.get(self.rows[message_id].kind))
        moves = moves_between(before, self.rows, announced, may_happen)
        if by:
            assert all(_is_its_own(move, by.message) for move in moves), (
                "a claim changed a message that it does not hold"
            )
        return moves

    def accepts(self, do: Callable[[], object], *, new: int) -> None:
        """Run `act`, which must write exactly this many messages."""
        known = len(self.rows)
        assert self.act(do) == []
        assert len(self.rows) == known + new

    def person_of(self, message: Message) -> Person | None:
        return next((person for person in self.people if person.pk == message.user_id and not person.gone), None)

    def messages(self, *statuses: Status) -> list[UUID]:
        """Return the ids of messages, oldest first."""
        ids = (message.id for message in sorted(self.rows.values(), key=lambda row: row.created_at))
        return [message_id for message_id in ids if not statuses or self.rows[message_id].status in statuses]


def _is_its_own(move: Move, message: Message) -> bool:
    if move.before.id != message.id:
        return False
    # An acceptance is a fact, whichever worker holds the message.
    return move.event is Event.ACCEPTED or move.before.lease_token == message.lease_token
