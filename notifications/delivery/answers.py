"""Record a provider's answers, and report them to the circuit and the budget."""

from collections.abc import Sequence

from notifications import kinds
from notifications.breaker.permits import Effect
from notifications.breaker.route import Route, has_alternative
from notifications.budget import grants
from notifications.conf.guard import current_guard
from notifications.delivery import refusals
from notifications.delivery.attempt import AttemptRow, attempt_of
from notifications.delivery.fate import Fate
from notifications.delivery.record import RefusedAttempt, record_acceptances, record_refusals
from notifications.delivery.report import CLAIM_LOST
from notifications.delivery.run import Relevant, Run, jitter
from notifications.models import Message
from notifications.providers.base.sending import Accepted, ProviderError
from notifications.rules import retry
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status

#: Up to this delay, Celery retries a single message (shown in Flower); the relay does so after longer ones.
CELERY_RETRY_S = 60.0
#: How long after Celery's retry the relay publishes the message, if it is still due.
RELAY_SLACK_S = 10.0
#: Failed probes of one message that do not count towards its limit: while other messages fail too or the provider does
#: not reply, and while this message is the only one refused, which may be its fault.
MAX_FORGIVEN_IN_OUTAGE, MAX_FORGIVEN = 30, 5


class Answers:
    """The answers to messages that were handed over together.

    Acceptances are written together, refusals immediately.
    """

    def __init__(self, run: Run, route: Route) -> None:
        self.run = run
        self.route = route
        self._accepted: list[AttemptRow] = []

    def take(self, relevant: Relevant, answer: Accepted | ProviderError, *, duration_s: float) -> None:
        if isinstance(answer, ProviderError):
            self.refuse([relevant], answer, duration_s=duration_s)
        else:
            message, _ = relevant
            self._accepted.append(attempt_of(message, self.run.carrier, self.route.name, answer, duration_s))
            self.route.report(answer, message.id)

    def record_accepted(self) -> None:
        accepted, self._accepted = self._accepted, []
        if accepted:
            record_acceptances(accepted)
            self.run.report.counts["sent"] += len(accepted)
            self.run.report.fates.update(_sent(attempt, names_id=self.run.is_single) for attempt in accepted)

    def refuse(self, refused: Sequence[Relevant], answer: ProviderError, *, duration_s: float) -> None:
        """Record the one answer to all these messages, which is that of one call."""
        # Whether others are refused too depends on the attempts that are recorded.
        self.record_accepted()
        first, _ = refused[0]
        answer = refusals.reclassified(self.route.name, first.to_address, answer)
        effect = self.route.report(answer, first.id)
        moves = has_alternative(self.route)
        written = []
        for message, facts in refused:
            if _is_forgiven(message, answer, effect):
                message.attempts_forgiven += 1
            decision = _decision(message, answer, age_s=facts.age_s)
            if isinstance(decision, retry.Retry) and moves:
                decision = retry.Retry(0.0)
            attempt = attempt_of(message, self.run.carrier, self.route.name, answer, duration_s)
            written.append(self._refusal(attempt, decision))
        # The answer to a redirected email says nothing about the message's address.
        is_redirected = any(current_guard().redirects(message.to_address) for message, _ in refused)
        changed = record_refusals(written, bounce=None if is_redirected else answer.bounce)
        self.run.report.fates.update(refusal.fate for refusal in written if refusal.attempt.message_id in changed)
        self.run.report.counts.update(refusal.attempt.result for refusal in written)
        if lost := len(written) - len(changed):
            self.run.report.counts[CLAIM_LOST] += lost
        self._report_to_budget(answer, len(refused))

    def _refusal(self, attempt: AttemptRow, decision: retry.Decision) -> RefusedAttempt:
        if not (isinstance(decision, retry.Retry) and self.run.is_single and decision.after_s <= CELERY_RETRY_S):
            return RefusedAttempt(attempt=attempt, decision=decision)
        self.run.report.retry_in_s = decision.after_s
        return RefusedAttempt(attempt=attempt, decision=decision, relay_slack_s=RELAY_SLACK_S)

    def _report_to_budget(self, answer: ProviderError, count: int) -> None:
        if answer.error_class is not ErrorClass.AMBIGUOUS:
            grants.uncount(self.route.name, self.run.allowance.granted_at, count)
        if answer.error_class is ErrorClass.RATE_LIMITED:
            grants.throttle(self.route.name, answer.retry_after_s)


def _sent(attempt: AttemptRow, *, names_id: bool) -> Fate:
    return Fate(Status.SENT, f"{attempt.provider} {attempt.provider_message_id}".strip() if names_id else "")


def _is_forgiven(message: Message, answer: ProviderError, effect: Effect) -> bool:
    # Forgiven attempts do not count towards the kind's limit. Rate limits, a broken set-up and outages are not the
    # message's fault, so they must not use up its attempts, within bounds. An ambiguous probe counts: it may have
    # sent a duplicate, and nothing else bounds those.
    if not answer.costs_an_attempt:
        return True
    is_at_fault = answer.is_reply and not effect.is_outage
    most = MAX_FORGIVEN if is_at_fault else MAX_FORGIVEN_IN_OUTAGE
    is_forgivable = effect.failed_probe and answer.error_class is not ErrorClass.AMBIGUOUS
    return is_forgivable and message.forgiven_attempts < most


def _decision(message: Message, error: ProviderError, *, age_s: float) -> retry.Decision:
    kind = kinds.get(message.kind)
    return retry.decide(
        error.error_class,
        retry.Limits(attempts=kind.max_attempts, age_s=kind.max_age.total_seconds()),
        tries=retry.Tries(made=message.made_attempts, counted=message.counted_attempts),
        age_s=age_s,
        retry_after_s=error.retry_after_s,
        jitter=jitter(),
    )
