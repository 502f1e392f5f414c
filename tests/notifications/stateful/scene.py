"""What all rules stand on: the rows as they were last seen, the truth beside them, and one way to do anything."""

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
from tests.notifications.stateful.moves import Move, heard, moves_between
from tests.notifications.stateful.truth import Claim, Person, Story

T = TypeVar("T")


def when(possible: Callable[[Any], object]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a step that does nothing while it is not possible.

    A precondition of Hypothesis would make what is drawn depend on the rows, and so on how busy the machine is.
    """

    def made(step: Callable[..., None]) -> Callable[..., None]:
        @wraps(step)
        def wrapped(self: Any, **drawn: object) -> None:
            if possible(self):
                step(self, **drawn)

        return wrapped

    return made


def one_of(things: list[T], pick: int) -> T:
    """Return a thing by a number that was drawn without knowing how many things there are."""
    return things[pick % len(things)]


class _EveryRule:
    def is_enabled(self, name: str) -> bool:
        return True


class Scene(RuleBasedStateMachine):
    """Nothing is in it but people."""

    # Somebody else's connection to the database.
    other: ClassVar[psycopg.Connection]

    def __init__(self) -> None:
        super().__init__()
        # Hypothesis leaves half of the rules out of an example, which finds much elsewhere. Here most ways into trouble
        # need most rules: without this five of six examples never see a second hand-over.
        self._rules_strategy.enabled_rules_strategy = just(cast("Any", _EveryRule()))
        world.begin_anew()
        self.people: list[Person] = []
        self.rows: dict[UUID, Message] = {}
        self.stories: dict[UUID, Story] = {}
        self.claims: list[Claim] = []
        # Tasks that were taken out of the broker and have not begun.
        self.tasks: list[list[UUID]] = []

    def act(self, do: Callable[[], object], *may_happen: Event, by: Claim | None = None) -> list[Move]:
        """Do it, see what has moved, and that it may; `by` is the claim that speaks, for its own message only."""
        with heard() as announced:
            do()
        before, self.rows = self.rows, Message.objects.in_bulk()
        for message_id in self.rows.keys() - before.keys():
            self.stories[message_id] = Story(kind=kinds.get(self.rows[message_id].kind))
        moves = moves_between(before, self.rows, announced, may_happen)
        if by:
            assert all(_is_its_own(move, by.message) for move in moves), "a claim has moved what it does not hold"
        return moves

    def accepts(self, do: Callable[[], object], *, new: int) -> None:
        """Do what writes so many messages, no more and no fewer."""
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
    # A yes is a fact, whoever holds the message now.
    return move.event is Event.ACCEPTED or move.before.lease_token == message.lease_token
