"""Send one email to many recipients in one call."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from notifications import kinds
from notifications.breaker.route import Route
from notifications.conf import settings
from notifications.delivery.guarding import apply_guard
from notifications.delivery.hand_over import HandOver
from notifications.delivery.part import is_suspect
from notifications.delivery.render_batch import batches
from notifications.delivery.run import Relevant, Run
from notifications.models import Message
from notifications.providers import registry
from notifications.providers.base.sending import About, Accepted, BatchRecipient, OutgoingBatch, ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Stream

R = TypeVar("R")
Answers = list[Accepted | ProviderError]
Addressed = tuple[BatchRecipient, Relevant]
Batch = tuple[OutgoingBatch, list[Relevant]]

#: Calls to find out which recipients make the provider refuse a batch.
MOST_CALLS = 100
#: The provider's answer to a recipient whose email it only takes alone.
NOT_IN_BATCH = "not-in-batch"
UNDECIDED = "refused-together"


def batch_limit(run: Run, route: Route) -> int:
    """Return the most messages of one call."""
    # If an answer is lost, only the provider's reports can settle a whole batch.
    if run.stream is not Stream.BULK or route.is_probe or not registry.reports(route.name):
        return 1
    return min(settings.EMAIL_BATCH_SIZE, route.provider.largest_batch)


def split(run: Run, relevant: Sequence[Relevant]) -> tuple[list[Batch], list[Relevant]]:
    """Return the batches, and the messages that are sent alone. The users are loaded."""
    by_id = {message.id: (message, facts) for message, facts in relevant}
    # A message that has failed could make the provider refuse all of its batch again.
    shares = [message for message, facts in relevant if not _goes_alone(message) and not facts.is_recheck]
    shared = [
        (batch, [by_id.pop(message.id) for message in messages])
        for batch, messages in batches([message for message in shares if message.id not in run.alone])
    ]
    return shared, list(by_id.values())


def _goes_alone(message: Message) -> bool:
    if message.has_content or is_suspect(message) or message.counted_attempts > 0:
        return True
    # With one attempt, a refusal because of another recipient must not use it up.
    kind = kinds.KINDS.get(message.kind)
    return kind is not None and (kind.max_attempts == 1 or kind.attachments is not None)


class BatchCall(HandOver):
    def __init__(self, run: Run, route: Route, batch: OutgoingBatch) -> None:
        super().__init__(run, route)
        self.batch = batch
        self.duration_s = 0.0

    def deliver(self, relevant: Sequence[Relevant]) -> list[Message]:
        """Deliver the messages of the batch; return those that were released without a call."""
        marked = self.mark([message for message, _ in relevant])
        addressed = [
            (recipient, each)
            for recipient, each in zip(self.batch.recipients, relevant, strict=True)
            if each[0].id in marked
        ]
        rest = [message for _, (message, _) in addressed]
        try:
            if addressed and self.may_call:
                # From here on, an error leaves all of them uncertain.
                rest = []
                self.run.allowance.use(len(addressed))
                rest += self._call(addressed)
        finally:
            self.end(rest)
        return self.left(rest)

    def _call(self, addressed: Sequence[Addressed]) -> list[Message]:
        # Returns those that the provider only takes alone.
        alone: list[Message] = []
        for some, answer in bisect(addressed, self._send, may_send=self._may_send):
            if isinstance(answer, ProviderError):
                self.answers.refuse([each for _, each in some], answer, duration_s=self.duration_s)
            else:
                alone += self._take(some, answer)
                self.answers.record_accepted()
        self.run.alone.update(message.id for message in alone)
        return alone

    def _send(self, some: Sequence[Addressed]) -> Answers | ProviderError:
        self.before_call()
        began = time.monotonic()
        answer: Answers | ProviderError
        batch = replace(self.batch, recipients=tuple(apply_guard(one) for one, _ in some))
        try:
            answer = self.route.provider.send_batch(batch)
        except ProviderError as error:
            answer = error
        self.duration_s = time.monotonic() - began
        return answer

    def _may_send(self) -> bool:
        # The hand-over has checked the addresses, and left enough of the lease, for the calls that begin soon after it.
        # In the order of `may_call`.
        return self.route.accepts_email() and not self.is_late and not self.run.stopping()

    def _take(self, some: Sequence[Addressed], answers: Answers) -> list[Message]:
        alone = []
        for (_, each), answer in zip(some, answers, strict=True):
            if isinstance(answer, ProviderError) and answer.code == NOT_IN_BATCH:
                alone.append(each[0])
            else:
                self.answers.take(each, answer, duration_s=self.duration_s)
        return alone


def bisect(
    recipients: Sequence[R],
    send: Callable[[Sequence[R]], Answers | ProviderError],
    *,
    may_send: Callable[[], bool],
) -> Iterator[tuple[Sequence[R], Answers | ProviderError]]:
    """Send to all recipients, then to halves of those that are refused together.

    Yield every recipient once: with the answer to each, or with one error for several. Those are retried alone for
    whom no call is left: after MOST_CALLS, or when `may_send` is false. The first call is always made.
    """
    waiting = [recipients]
    calls = 0
    while waiting:
        some = waiting.pop()
        if calls and (calls >= MOST_CALLS or not may_send()):
            yield some, undecided()
            continue
        calls += 1
        answer = send(some)
        if len(some) > 1 and _is_because_of_some(answer):
            middle = len(some) // 2
            waiting += [some[middle:], some[:middle]]
        else:
            yield some, answer


def _is_because_of_some(answer: Answers | ProviderError) -> bool:
    return (
        isinstance(answer, ProviderError)
        and answer.is_about_one_message
        and answer.error_class is not ErrorClass.AMBIGUOUS
    )


def undecided() -> ProviderError:
    detail = "refused together with other recipients, so it is retried alone"
    return ProviderError(ErrorClass.TRANSIENT, UNDECIDED, detail, about=About.MESSAGE)
