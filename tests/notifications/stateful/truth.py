"""The truth about each message, with which its row is compared after every step."""

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
    """How a call ends. `taken`: the email was sent, whatever the worker gets (`error`, None for an acceptance)."""

    taken: bool
    # The failed probe of a breaker, not the message's fault.
    forgiven: bool = False
    error: ErrorClass | None = None
    wish_s: float | None = None


ANSWERS = {
    "yes": Answer(taken=True),
    "accepted, and the answer lost": Answer(taken=True, error=ErrorClass.AMBIGUOUS),
    "lost on its way": Answer(taken=False, error=ErrorClass.AMBIGUOUS),
    "503": Answer(taken=False, error=ErrorClass.TRANSIENT, wish_s=14),
    "429": Answer(taken=False, error=ErrorClass.RATE_LIMITED, wish_s=95),
    "503 to a probe": Answer(taken=False, error=ErrorClass.TRANSIENT, wish_s=14, forgiven=True),
    "no such thing": Answer(taken=False, error=ErrorClass.PERMANENT),
    "bad key": Answer(taken=False, error=ErrorClass.MISCONFIGURED),
}


@dataclass
class Person:
    """The true state of a user."""

    pk: int
    # The address of the sign-up, which may become current again.
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
    """One message held by one worker, which may stop at any stage, for any time or forever."""

    message: Message
    lease_left_s: float
    stage: Stage = Stage.CLAIMED
    facts: Facts | None = None
    answer: Answer | None = None

    @property
    def is_handed_over(self) -> bool:
        return self.stage in {Stage.HANDED_OVER, Stage.ANSWERED}

    @property
    def calls_now(self) -> bool:
        """The provider may be accepting the email now, as far as the rows show."""
        return self.is_handed_over and self.lease_left_s > 0


@dataclass
class Story:
    """The true history of one message. A life begins with its row, and with each replay."""

    kind: Kind
    # False from a hand-over until another is allowed, by a recorded certain refusal or a settlement.
    cleared: bool = True
    hand_overs: int = 0
    # The attempts whose email was sent.
    taken: set[int] = field(default_factory=set)
    # Whether the rows know of it.
    known_taken: bool = False
    # An operator's claim, which may be wrong.
    said_to_be_sent: bool = False
    settlements: int = 0
    # Attempts of this life that do not count: the provider's fault, and copies that an operator allowed.
    excused: int = 0

    def handed_over(self, claim: Claim, others: Iterable[Claim]) -> None:
        """Note that the worker may call the provider now."""
        assert self.cleared, "a second copy that nothing allowed"
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
        """Note a worker's report of no acceptance, which changed the message."""
        error = claim.answer.error if claim.answer else None
        if move.event is Event.RESPONSE_LOST:
            assert error is ErrorClass.AMBIGUOUS
            return
        assert error not in {None, ErrorClass.AMBIGUOUS}, "an ambiguous answer counted as a refusal"
        self.cleared = True
        spent = claim.message.counted_attempts >= self.kind.max_attempts and error not in COST_NO_ATTEMPT
        if move.event is Event.RETRY:
            assert error is not ErrorClass.PERMANENT
            assert not spent, "a retry beyond the kind's limit"
            self.excused += error in COST_NO_ATTEMPT
        elif move.event is Event.EXPIRED:
            assert self._is_nearly_over(claim), "expired too early"
        else:
            assert error is ErrorClass.PERMANENT or spent, "died without a cause"

    def settled(self, move: Move, *, by_hand: bool) -> None:
        """Note that another copy is allowed, though one may be sent. Only an operator may exceed the limit."""
        if by_hand:
            self.excused += 1
        else:
            assert self.kind.guarantee is DeliveryGuarantee.AT_LEAST_ONCE, "only an operator may settle this kind"
            assert move.before.counted_attempts < self.kind.max_attempts, "another copy beyond the kind's limit"
            assert move.before.uncertain_resends < MAX_RESENDS, "too many copies"
        assert move.after.uncertain_resends == move.before.uncertain_resends + 1
        self.cleared = True
        self.settlements += 1

    def replayed(self, move: Move) -> None:
        assert move.after.counted_attempts == 0, "attempts were not reset"
        self.excused = 0

    def _is_nearly_over(self, claim: Claim) -> bool:
        assert claim.facts is not None
        assert claim.answer is not None
        whole_s = self.kind.max_age.total_seconds()
        longest_pause_s = max(whole_s / 12, FIRST_S, claim.answer.wish_s or 0.0)
        return claim.facts.age_s + longest_pause_s >= whole_s
