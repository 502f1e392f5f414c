"""What really happened, kept beside the rows: every row is compared with it after every step."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from notifications.delivery.relevance import Facts
from notifications.kinds import DeliveryGuarantee, Kind
from notifications.models import Message
from notifications.outbox.recover import MAX_RESENDS
from notifications.providers.base.deadline import call_s
from notifications.rules.retry import COST_NO_ATTEMPT, FIRST_S, ErrorClass
from notifications.rules.states import Event
from tests.notifications.stateful.moves import Move


@dataclass(frozen=True)
class Answer:
    """How a provider call ends. `taken`: the mail is out, whatever the worker hears (`error`, None for a yes)."""

    taken: bool
    # It was a breaker's probe, and no fault of the message's that it failed.
    forgiven: bool = False
    error: ErrorClass | None = None
    wish_s: float | None = None


ANSWERS = {
    "yes": Answer(taken=True),
    "taken, and the answer lost": Answer(taken=True, error=ErrorClass.AMBIGUOUS),
    "lost on its way": Answer(taken=False, error=ErrorClass.AMBIGUOUS),
    "503": Answer(taken=False, error=ErrorClass.TRANSIENT, wish_s=14),
    "429": Answer(taken=False, error=ErrorClass.RATE_LIMITED, wish_s=95),
    "503 to a probe": Answer(taken=False, error=ErrorClass.TRANSIENT, wish_s=14, forgiven=True),
    "no such thing": Answer(taken=False, error=ErrorClass.PERMANENT),
    "bad key": Answer(taken=False, error=ErrorClass.MISCONFIGURED),
}


@dataclass
class Person:
    """A user as he really is."""

    pk: int
    # Where he signed up; he may come back to it.
    first_address: str
    address: str
    active: bool = True
    confirmed: bool = False
    gone: bool = False


class Stage(Enum):
    CLAIMED = "claimed"
    JUDGED = "judged"
    HANDED_OVER = "handed over"
    ANSWERED = "answered"


@dataclass(eq=False)
class Claim:
    """One message in the hands of one worker, who may stop at any stage for any time, and may never go on."""

    message: Message
    person: Person | None  # as he was when the message was claimed
    lease_left_s: float
    stage: Stage = Stage.CLAIMED
    facts: Facts | None = None
    answer: Answer | None = None

    @property
    def is_handed_over(self) -> bool:
        return self.stage in {Stage.HANDED_OVER, Stage.ANSWERED}

    @property
    def calls_now(self) -> bool:
        """The provider may be taking the mail at this moment, as far as anybody may suppose."""
        return self.is_handed_over and self.lease_left_s > 0


@dataclass
class Story:
    """One message as the world outside our rows has seen it. A life begins with the row and with every replay."""

    kind: Kind
    # False from a hand-over until something allows another: a sure refusal that was written down, or a settlement.
    cleared: bool = True
    hand_overs: int = 0
    # The attempts whose mail is out.
    taken: set[int] = field(default_factory=set)
    # Our rows have been told so.
    known_taken: bool = False
    # A person has said so, who may be wrong.
    said_to_be_sent: bool = False
    settlements: int = 0
    # Attempts in this life that the ceiling does not end: the provider's own fault, and copies a person allowed.
    excused: int = 0

    def handed_over(self, claim: Claim, others: Iterable[Claim]) -> None:
        """The worker may call the provider now."""
        assert self.cleared, "a second copy, and nothing has allowed it"
        assert claim.lease_left_s > call_s(), "the lease will not cover the call"
        assert not any(other.calls_now for other in others), "two live hand-overs of one message"
        self.hand_overs += 1
        assert claim.message.attempts == self.hand_overs
        self.cleared = False

    def hand_over_undone(self) -> None:
        self.hand_overs -= 1
        self.cleared = True

    def answered(self, claim: Claim, answer: Answer) -> None:
        claim.answer, claim.stage = answer, Stage.ANSWERED
        if answer.taken:
            self.taken.add(claim.message.attempts)

    def refused(self, claim: Claim, move: Move) -> None:
        """A worker's report that was no yes has moved the message."""
        error = claim.answer.error if claim.answer else None
        if move.event is Event.RESPONSE_LOST:
            assert error is ErrorClass.AMBIGUOUS
            return
        assert error not in {None, ErrorClass.AMBIGUOUS}, "what may be out is not plainly refused"
        self.cleared = True
        spent = claim.message.counted_attempts >= self.kind.max_attempts and error not in COST_NO_ATTEMPT
        if move.event is Event.RETRY:
            assert error is not ErrorClass.PERMANENT
            assert not spent, "a retry past the kind's ceiling"
            self.excused += error in COST_NO_ATTEMPT
        elif move.event is Event.EXPIRED:
            assert self._is_nearly_over(claim), "its time was not over"
        else:
            assert error is ErrorClass.PERMANENT or spent, "it died of nothing"

    def settled(self, move: Move, *, by_hand: bool) -> None:
        """Another copy was allowed, though one may be out. Only a person may go beyond the ceiling with it."""
        if by_hand:
            self.excused += 1
        else:
            assert self.kind.guarantee is DeliveryGuarantee.AT_LEAST_ONCE, "only a person may settle this kind"
            assert move.before.counted_attempts < self.kind.max_attempts, "another copy past the kind's ceiling"
            assert move.before.uncertain_resends < MAX_RESENDS, "copies without end"
        assert move.after.uncertain_resends == move.before.uncertain_resends + 1
        self.cleared = True
        self.settlements += 1

    def replayed(self, move: Move) -> None:
        assert move.after.counted_attempts == 0, "another life begins with no attempt spent"
        self.excused = 0

    def _is_nearly_over(self, claim: Claim) -> bool:
        assert claim.facts is not None
        assert claim.answer is not None
        whole_s = self.kind.max_age.total_seconds()
        longest_pause_s = max(whole_s / 12, FIRST_S, claim.answer.wish_s or 0.0)
        return claim.facts.age_s + longest_pause_s >= whole_s
