"""Rules of workers, step by step. A worker without a step is frozen; a late step thaws it."""

from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from hypothesis.stateful import rule
from hypothesis.strategies import sampled_from

from notifications.delivery import claim as claiming
from notifications.delivery.attempt import Carrier, attempt_of
from notifications.delivery.facts import gather
from notifications.delivery.recheck import take_recheck
from notifications.delivery.record import RefusedAttempt, record_acceptances, record_refusals, record_skip
from notifications.delivery.relevance import Skip, skip_reason
from notifications.models import Message, Suppression
from notifications.providers.base.sending import Accepted, ProviderError
from notifications.rules import retry
from notifications.rules.states import Event, Status
from notifications.rules.suppression import Reason
from tests.notifications.stateful import world
from tests.notifications.stateful.judging import expected_end
from tests.notifications.stateful.people import pick
from tests.notifications.stateful.scene import Scene, one_of, when
from tests.notifications.stateful.truth import ANSWERS, Answer, Claim, Stage

CARRIER = Carrier(task_id="a-task", worker="a-worker@here")
YES = ANSWERS["yes"]
# Where a worker may freeze while it holds a message that passed the check.
HELD = (Stage.JUDGED, Stage.HANDED_OVER, Stage.ANSWERED)


class Workers(Scene):
    @rule(pick=pick, how=sampled_from(["once", "twice", "late"]))
    def task_begins(self, pick, how):
        """Begin a task; the broker may deliver it twice, at any time."""
        if how == "late" and self.rows:
            self.claim([one_of(self.messages(), pick)])
            return
        self.tasks += world.tasks_in_the_broker()
        if self.tasks:
            task = one_of(self.tasks, pick)
            if how == "once":
                self.tasks.remove(task)
            self.claim(task)

    @rule(pick=pick, answer=sampled_from(sorted(ANSWERS)), stop=sampled_from([None, None, *HELD]))
    @when(lambda self: self.claims)
    def worker_continues(self, pick, answer, stop):
        """Continue to the end, or to the stage at which it freezes again."""
        self.finish(one_of(self.claims, pick), ANSWERS[answer], stop=stop)

    @rule(pick=pick, answer=sampled_from(sorted(ANSWERS)), stop=sampled_from([None, None, *HELD, *HELD]))
    @when(lambda self: self._due())
    def worker_delivers(self, pick, answer, stop):
        """Claim a due message and continue to the end, or to the stage at which it freezes."""
        for claim in self.claim([one_of(self._due(), pick)]):
            self.finish(claim, ANSWERS[answer], stop=stop)

    @rule(pick=pick, how=sampled_from(["it releases its group", "a template raises", "it thaws", "it crashes"]))
    @when(lambda self: self.claims)
    def worker_ends(self, pick, how):
        claim = one_of(self.claims, pick)
        if how == "it releases its group":
            self._release([one for one in self.claims if one.message.lease_token == claim.message.lease_token])
        elif how == "a template raises" and claim.stage is Stage.JUDGED:
            self._skip(claim, Skip(Event.FAILED, "it cannot be rendered: KeyError", "rendering/KeyError"))
        elif how == "it thaws" and claim.stage is Stage.HANDED_OVER:
            self._undo(claim)
        else:
            self.claims.remove(claim)

    def claim(self, message_ids: list[UUID]) -> list[Claim]:
        won = []
        moves = self.act(lambda: won.extend(claiming.claim(message_ids)), Event.CLAIMED)
        assert {move.after.id for move in moves} == {message.id for message in won}
        now = datetime.now(UTC)
        for move in moves:
            assert move.before.due_at <= now
        new = [self._claim_of(message) for message in won]
        self.claims += new
        return new

    def judge(self, claim: Claim) -> None:
        facts = dict(gather([claim.message]))[claim.message]
        skip = skip_reason(facts)
        row = self.rows[claim.message.id]
        # The worker may not see yet that a message was anonymized after the claim; it cannot hand it over.
        if claim.message.anonymized_at or not row.anonymized_at:
            assert (skip and skip.event) == expected_end(
                row, self.person_of(row), self.rows, is_recheck=facts.is_recheck
            )
        if skip is None and facts.is_recheck and not take_recheck(claim.message):
            skip = Skip(Event.ADDRESS_SUPPRESSED, "another message is the recheck")
        if skip:
            self._skip(claim, skip)
        else:
            claim.facts, claim.stage = facts, Stage.JUDGED

    def hand_over(self, claim: Claim) -> None:
        done = []
        assert self.act(lambda: done.append(claiming.hand_over([claim.message], "scripted"))) == []
        if not done[0]:
            self.claims.remove(claim)
            return
        assert not self.rows[claim.message.id].anonymized_at, "its recipient was anonymized"
        listed = Suppression.objects.in_force([claim.message.to_address])
        probed = listed.filter(reason=Reason.SOFT_BOUNCES, recheck_id=claim.message.id)
        assert listed.count() == probed.count(), "its address is suppressed"
        others = [one for one in self.claims if one is not claim and one.message.id == claim.message.id]
        self.stories[claim.message.id].handed_over(claim, others)
        claim.stage = Stage.HANDED_OVER

    def record(self, claim: Claim) -> None:
        assert claim.answer
        self.claims.remove(claim)
        if error := claim.answer.error:
            self._refused(claim, ProviderError(error, "as-drawn", retry_after_s=claim.answer.wish_s))
            return
        accepted = Accepted(f"scripted-{claim.message.id}-{claim.message.attempts}")
        attempt = attempt_of(claim.message, CARRIER, "scripted", accepted, 0.1)
        self.stories[claim.message.id].known_taken = True
        self.act(lambda: record_acceptances([attempt]), Event.ACCEPTED, by=claim)

    def finish(self, claim: Claim, answer: Answer = YES, *, stop: Stage | None = None) -> None:
        """Continue with a claim to the end, or to `stop`."""
        steps = {
            Stage.CLAIMED: self.judge,
            Stage.JUDGED: self.hand_over,
            Stage.HANDED_OVER: lambda claim: self.stories[claim.message.id].answered(claim, answer),
            Stage.ANSWERED: self.record,
        }
        while claim in self.claims and claim.stage is not stop:
            steps[claim.stage](claim)

    def _due(self) -> list[UUID]:
        now = datetime.now(UTC)
        return [message_id for message_id in self.messages(Status.QUEUED) if self.rows[message_id].due_at <= now]

    def _claim_of(self, message: Message) -> Claim:
        return Claim(message=message, lease_left_s=world.lease_s())

    def _undo(self, claim: Claim) -> None:
        """Revert a hand-over, because too much time passed before the call."""
        self.claims.remove(claim)
        if self.act(lambda: claiming.revert_hand_over([claim.message]), Event.RELEASED, by=claim):
            self.stories[claim.message.id].hand_over_undone()

    def _refused(self, claim: Claim, error: ProviderError) -> None:
        assert claim.facts
        message, story = claim.message, self.stories[claim.message.id]
        message.attempts_forgiven += bool(claim.answer and claim.answer.forgiven)
        attempt = attempt_of(message, CARRIER, "scripted", error, 0.1)
        decision = retry.decide(
            error.error_class,
            retry.Limits(attempts=story.kind.max_attempts, age_s=story.kind.max_age.total_seconds()),
            tries=retry.Tries(counted=message.counted_attempts, made=message.made_attempts),
            age_s=claim.facts.age_s,
            retry_after_s=error.retry_after_s,
            jitter=1.0,
        )
        known = set(message.delivery_attempts.filter(result="accepted"))
        report = partial(record_refusals, [RefusedAttempt(attempt=attempt, decision=decision)])
        for move in self.act(report, Event.RETRY, Event.FAILED, Event.EXPIRED, Event.RESPONSE_LOST, by=claim):
            story.refused(claim, move)
        assert known <= set(message.delivery_attempts.filter(result="accepted")), "an acceptance was revoked"

    def _release(self, group: list[Claim]) -> None:
        token = group[0].message.lease_token
        for move in self.act(lambda: claiming.release([claim.message for claim in group]), Event.RELEASED):
            assert move.before.lease_token == token
        self.claims = [claim for claim in self.claims if claim not in group or claim.is_handed_over]

    def _skip(self, claim: Claim, skip: Skip) -> None:
        self.claims.remove(claim)
        self.act(lambda: record_skip(claim.message, skip, pause_s=5.0), skip.event, by=claim)
