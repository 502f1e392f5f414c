"""Render, hand over and send a few messages of a group, its part."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from notifications import kinds
from notifications.breaker.route import Route
from notifications.budget.terms import USE_WITHIN_S
from notifications.delivery.guarding import apply_guard
from notifications.delivery.hand_over import HandOver
from notifications.delivery.recheck import take_recheck
from notifications.delivery.relevance import CANNOT_BE_RENDERED, RECHECKED_BY_ANOTHER, Facts, Skip, misfit
from notifications.delivery.render import RenderingError, render
from notifications.delivery.run import Relevant
from notifications.delivery.speed import note_call, seconds_per_call
from notifications.models import Message
from notifications.providers import registry
from notifications.providers.base.sending import Accepted, OutgoingEmail, ProviderError
from notifications.rules.states import Event, Stream

# Handing several messages over in one statement saves most of their cost in the database. A worker that is killed
# leaves all of them uncertain, those that it had not called for too. So a part is small and short, and only of messages
# whose provider reports what it sent.

#: Messages and seconds of calls.
MOST, MOST_S = 10, 0.5
#: The seconds of calls in a group: what one statement claims, and one question finds the facts for.
GROUP_S = 2.0


class Ready(NamedTuple):
    message: Message
    facts: Facts
    email: OutgoingEmail


def calls_within(seconds: float, provider: str) -> int:
    return max(1, min(MOST, int(seconds / max(seconds_per_call(provider), 1e-3))))


def granted_together(count: int, route: Route) -> int:
    # The budget counts grants and the provider counts calls, so a grant must be used soon.
    return min(count, calls_within(USE_WITHIN_S, route.name))


def part_size(messages: Sequence[Message], route: Route) -> int:
    """Return how many of the first messages are handed over together."""
    if not registry.reports(route.name):
        return 1
    first = messages[: calls_within(MOST_S, route.name)]
    return max(1, next((place for place, message in enumerate(first) if not _may_share(message)), len(first)))


def is_suspect(message: Message) -> bool:
    # It may be the reason why its worker was lost.
    return bool(message.claims_lost or message.uncertain_resends)


def _may_share(message: Message) -> bool:
    # A message that may never arrive if its answer is lost, or that a user waits for, is not made uncertain by the loss
    # of another's call.
    is_repeatable = kinds.get(message.kind).guarantee is kinds.DeliveryGuarantee.AT_LEAST_ONCE
    return message.stream != Stream.CRITICAL and is_repeatable and not is_suspect(message)


class Part(HandOver):
    def deliver(self, relevant: Sequence[Relevant]) -> list[Message]:
        """Deliver the messages; return those that were released without a call."""
        ready = [email for message, facts in relevant if (email := self._prepare(message, facts))]
        marked = self.mark([each.message for each in ready])
        return self._call_each([each for each in ready if each.message.id in marked])

    def _prepare(self, message: Message, facts: Facts) -> Ready | None:
        self.run.current = message
        if facts.is_recheck and not take_recheck(message):
            self.run.skip(message, Skip(Event.ADDRESS_SUPPRESSED, RECHECKED_BY_ANOTHER), age_s=facts.age_s)
            return None
        try:
            return Ready(message, facts, render(message, attempt=message.attempts + 1))
        except RenderingError as error:
            cause = CANNOT_BE_RENDERED.format(error=error)
            has_time = facts.age_s < kinds.get(message.kind).max_age.total_seconds()
            fingerprint = f"rendering/{error}"
            skip = misfit(cause, fingerprint, may_fit_elsewhere=error.may_fit_elsewhere, has_time=has_time)
            self.run.skip(message, skip, age_s=facts.age_s)
            return None

    def _call_each(self, ready: Sequence[Ready]) -> list[Message]:
        rest = [each.message for each in ready]
        try:
            for each in ready:
                # Asking may take long, so the time is checked after it.
                if not (self.run.allowance.has_some(granted_together(len(rest), self.route)) and self.may_call):
                    break
                self.run.allowance.use()
                self._call(rest.pop(0), each)
        finally:
            self.end(rest)
        return self.left(rest)

    def _call(self, message: Message, ready: Ready) -> None:
        self.run.current = message
        self.before_call()
        began = time.monotonic()
        answer: Accepted | ProviderError
        try:
            answer = self.route.provider.send(apply_guard(ready.email))
        except ProviderError as error:
            answer = error
        duration_s = time.monotonic() - began
        note_call(self.route.name, duration_s, is_accepted=isinstance(answer, Accepted))
        self.run.has_tried = True
        self.answers.take((message, ready.facts), answer, duration_s=duration_s)
