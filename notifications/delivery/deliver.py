"""Deliver messages: find a route, budget, claim, check, render, hand over, send, record."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from notifications import kinds
from notifications.breaker.permits import Effect
from notifications.breaker.route import Route, find_route, has_alternative
from notifications.budget import grants
from notifications.budget.terms import USE_WITHIN_S
from notifications.delivery import refusals
from notifications.delivery.claim import claim, defer, hand_over, release, requeue, revert_hand_over
from notifications.delivery.facts import gather
from notifications.delivery.recheck import take_recheck
from notifications.delivery.record import (
    Carrier,
    RecordLostError,
    attempt_of,
    record_acceptance,
    record_refusal,
    record_skip,
    retry_until_written,
)
from notifications.delivery.relevance import CANNOT_BE_RENDERED, RECHECKED_BY_ANOTHER, Facts, Skip, misfit, skip_reason
from notifications.delivery.render import RenderingError, render
from notifications.models import DeliveryAttempt, Message
from notifications.providers.base.deadline import CALL_MARGIN_S
from notifications.providers.base.sending import Accepted, OutgoingEmail, ProviderError
from notifications.rules import retry
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Event, Stream
from notifications.runtime.database import drop_connection, is_outage

#: Messages claimed per group: a killed worker leaves at most this many behind, and their leases cover their calls.
GROUP = 10
#: After this long, a task leaves the rest of its ids to the relay, so that urgent email waits for a few calls and not
#: for a whole chunk.
SLICE_S = 3.0
#: Up to this delay, Celery retries a single message (shown in Flower); the relay does so after longer ones.
CELERY_RETRY_S = 60.0
#: How long after Celery's retry the relay publishes the message, if it is still due.
RELAY_SLACK_S = 10.0
#: Failed probes of one message that do not count towards its limit: while other messages fail too or the provider does
#: not reply, and while this message is the only one refused, which may be its fault.
MAX_FORGIVEN_IN_OUTAGE, MAX_FORGIVEN = 30, 5
#: How long to wait for a database that fails in mid-group: a restart takes less.
RELEASE_WITHIN_S = 10.0
# The results of messages that stay queued.
REQUEUED, NO_PROVIDER = "requeued", "waiting for a provider"

#: Seconds of this process's last call, by provider. Before the first one, its speed is unknown.
call_times: defaultdict[str, float] = defaultdict(lambda: USE_WITHIN_S)


@dataclass
class DeliveryReport:
    """The messages of one task, counted by result. `retry_in_s` is for Celery's retry of a single message."""

    counts: Counter[str] = field(default_factory=Counter)
    retry_in_s: float | None = None

    def __str__(self) -> str:
        return ", ".join(f"{count} {word}" for word, count in self.counts.items()) or "nothing to do"


def deliver(
    message_ids: Sequence[UUID], stream: Stream, carrier: Carrier, *, stopping: Callable[[], bool] = lambda: False
) -> DeliveryReport:
    """Send the messages that are due, relevant and within the budget.

    The others stay queued. Ends after the current call if its time slice is over or `stopping()` is true; the relay
    publishes the rest immediately. Raises database errors if no message was handed over before, else RecordLostError.
    """
    run = DeliveryRun(stream, carrier, single=len(message_ids) == 1, stopping=stopping)
    rest = list(message_ids)
    while rest:
        if run.is_over:
            run.report.counts[REQUEUED] += requeue(rest)
            break
        with find_route(rest) as route:
            if route is None:
                run.report.counts[NO_PROVIDER] += requeue(rest)
                break
            if route.is_probe:
                rest.sort(key=lambda message_id: str(message_id) != route.probe_message)
            size = run.group_size(route)
            rest = run.deliver_group(rest[:size], route) + rest[size:]
    return run.report


class DeliveryRun:
    def __init__(self, stream: Stream, carrier: Carrier, *, single: bool, stopping: Callable[[], bool]) -> None:
        self.stream = stream
        self.carrier = carrier
        self.single = single
        self.report = DeliveryReport()
        self.grant = grants.Grant(0)
        self.stopping = stopping
        self.until = time.monotonic() + SLICE_S
        # Of the last call. `call_times` may have that of another thread.
        self.duration_s = 0.0
        # An error while it is delivered may be its fault.
        self.current: Message | None = None

    @property
    def is_over(self) -> bool:
        # At least one message is tried, however slow everything is.
        return self.stopping() or (self.current is not None and time.monotonic() > self.until)

    def group_size(self, route: Route) -> int:
        # As many as can be sent while their grant is fresh: the budget counts grants, the provider counts calls.
        if route.is_probe:
            return 1
        return max(1, min(GROUP, int(USE_WITHIN_S / max(call_times[route.name], 1e-3))))

    def deliver_group(self, message_ids: Sequence[UUID], route: Route) -> list[UUID]:
        """Deliver a group; return the released ids, which need another route or time."""
        grant = self.grant = grants.reserve(route.name, self.stream, len(message_ids))
        if grant.waits_s:
            defer(message_ids[grant.count :], grant.waits_s)
            self.report.counts["deferred"] += len(grant.waits_s)
        claimed = claim(message_ids[: grant.count])
        try:
            going = [
                (message, facts)
                for message, facts in gather(claimed)
                if not self.skip(message, skip_reason(facts), age_s=facts.age_s)
            ]
            grants.release(route.name, self.stream, grant, grant.count - len(going))
            while going and route.accepts_email() and not self.is_over:
                self.current = going[0][0]
                if not self.deliver_one(*going.pop(0), route):
                    # Nothing was sent, so others may use the grant.
                    grants.release(route.name, self.stream, grant, 1)
            return self.release_rest([message for message, _ in going], route)
        except Exception as error:
            self.release_after_error(claimed, error)
            raise

    def release_rest(self, rest: Sequence[Message], route: Route) -> list[UUID]:
        # Releases their grants too.
        if rest:
            release(rest)
            grants.release(route.name, self.stream, self.grant, len(rest))
        return [message.id for message in rest]

    def release_after_error(self, claimed: Sequence[Message], error: Exception) -> None:
        # In an outage of the database, Celery retries all. After any other error, the current message is suspect: it
        # keeps its claim until the lease ends, which counts as a lost claim, and the others are released.
        is_down = is_outage(error)
        others = [message for message in claimed if is_down or message is not self.current]
        # If the outage lasts, their claims end with their leases.
        with suppress(RecordLostError):
            retry_until_written(lambda: release(others, relay_now=is_down), within_s=RELEASE_WITHIN_S)

    def skip(self, message: Message, reason: Skip | None, *, age_s: float) -> bool:
        if reason is None:
            return False
        pause_s = retry.misfit_pause_s(age_s, is_bulk=self.stream is Stream.BULK, jitter=_jitter())
        record_skip(message, reason, pause_s=pause_s)
        self.report.counts[reason.event.value] += 1
        return True

    def deliver_one(self, message: Message, facts: Facts, route: Route) -> bool:
        """Deliver one message; return whether the provider was called."""
        if facts.is_recheck and not take_recheck(message):
            skip = Skip(Event.ADDRESS_SUPPRESSED, RECHECKED_BY_ANOTHER)
            self.skip(message, skip, age_s=facts.age_s)
            return False
        try:
            email = render(message, attempt=message.attempts + 1)
        except RenderingError as error:
            cause = CANNOT_BE_RENDERED.format(error=error)
            has_time = facts.age_s < kinds.get(message.kind).max_age.total_seconds()
            fingerprint = f"rendering/{error}"
            skip = misfit(cause, fingerprint, may_fit_elsewhere=error.may_fit_elsewhere, has_time=has_time)
            self.skip(message, skip, age_s=facts.age_s)
            return False
        if not self.hand_over(message, route):
            self.report.counts["claim lost"] += 1
            return False
        self.call(message, facts, email, route)
        return True

    def call(self, message: Message, facts: Facts, email: OutgoingEmail, route: Route) -> None:
        answer = self.send(email, route)
        effect = route.report(answer, message.id)
        if isinstance(answer, ProviderError) and self.is_forgiven(message, answer, effect):
            message.attempts_forgiven += 1
        attempt = attempt_of(message, self.carrier, route.name, answer, self.duration_s)
        if isinstance(answer, Accepted):
            record_acceptance(attempt)
            self.report.counts["sent"] += 1
        else:
            decision = self.decide(message, answer, age_s=facts.age_s)
            if isinstance(decision, retry.Retry) and has_alternative(route):
                decision = retry.Retry(0.0)
            self.record_refusal(message, attempt, decision, answer)
            self.report_to_budget(answer, route)

    def is_forgiven(self, message: Message, answer: ProviderError, effect: Effect) -> bool:
        # Forgiven attempts do not count towards the kind's limit. Rate limits, a broken set-up and outages are not the
        # message's fault, so they must not use up its attempts, within bounds. An ambiguous probe counts: it may have
        # sent a duplicate, and nothing else bounds those.
        if not answer.costs_an_attempt:
            return True
        is_at_fault = answer.is_reply and not effect.is_outage
        most = MAX_FORGIVEN if is_at_fault else MAX_FORGIVEN_IN_OUTAGE
        is_forgivable = effect.failed_probe and answer.error_class is not ErrorClass.AMBIGUOUS
        return is_forgivable and message.forgiven_attempts < most

    def hand_over(self, message: Message, route: Route) -> bool:
        # Also False if the hand-over took too much time (a worker may hang): the call could outlive the lease.
        asked_at = time.monotonic()
        if not hand_over(message, route.name):
            return False
        in_time = time.monotonic() - asked_at <= CALL_MARGIN_S
        if not in_time:
            revert_hand_over(message)
        return in_time

    def send(self, email: OutgoingEmail, route: Route) -> Accepted | ProviderError:
        # The call only waits: other threads can use the connection meanwhile.
        drop_connection()
        began = time.monotonic()
        answer: Accepted | ProviderError
        try:
            answer = route.provider.send(email)
        except ProviderError as error:
            answer = refusals.reclassified(route.name, email.to_address, error)
        self.duration_s = call_times[route.name] = time.monotonic() - began
        return answer

    def decide(self, message: Message, error: ProviderError, *, age_s: float) -> retry.Decision:
        kind = kinds.get(message.kind)
        return retry.decide(
            error.error_class,
            retry.Limits(attempts=kind.max_attempts, age_s=kind.max_age.total_seconds()),
            tries=retry.Tries(made=message.made_attempts, counted=message.counted_attempts),
            age_s=age_s,
            retry_after_s=error.retry_after_s,
            jitter=_jitter(),
        )

    def record_refusal(
        self, message: Message, attempt: DeliveryAttempt, decision: retry.Decision, answer: ProviderError
    ) -> None:
        soon = isinstance(decision, retry.Retry) and self.single and decision.after_s <= CELERY_RETRY_S
        slack_s = RELAY_SLACK_S if soon else 0.0
        record_refusal(message, attempt, decision, bounce=answer.bounce, relay_slack_s=slack_s)
        self.report.counts[attempt.result] += 1
        if isinstance(decision, retry.Retry) and soon:
            self.report.retry_in_s = decision.after_s

    def report_to_budget(self, error: ProviderError, route: Route) -> None:
        if error.error_class is not ErrorClass.AMBIGUOUS:
            grants.uncount(route.name, self.grant.granted_at)
        if error.error_class is ErrorClass.RATE_LIMITED:
            grants.throttle(route.name, error.retry_after_s)


def _jitter() -> float:
    return random.random()  # noqa: S311 - not for security
