"""The outcome of one call for one message, before it is recorded."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from notifications.delivery.guarding import guard_note
from notifications.models import DeliveryAttempt, Message
from notifications.providers.base.sending import Accepted, ProviderError


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """The Celery task and the worker that make an attempt."""

    task_id: str
    worker: str


class AttemptRow(NamedTuple):
    """What is recorded of an attempt."""

    message: Message
    number: int
    provider: str
    result: DeliveryAttempt.Result
    provider_message_id: str
    error_code: str
    error: str
    duration_ms: int
    task_id: str
    worker: str
    fingerprint: str

    @property
    def message_id(self) -> UUID:
        return self.message.id


def attempt_of(
    message: Message, carrier: Carrier, provider: str, answer: Accepted | ProviderError, duration_s: float
) -> AttemptRow:
    if isinstance(answer, Accepted):
        result, given_id, code = DeliveryAttempt.Result.ACCEPTED, answer.provider_message_id, ""
        error = " · ".join(filter(None, [guard_note(message), answer.note]))
    else:
        result, given_id, code = DeliveryAttempt.Result(answer.error_class.value), "", answer.code
        error = str(answer)
    return AttemptRow(
        message=message,
        number=message.attempts,
        provider=provider,
        result=result,
        provider_message_id=given_id[:200],
        error_code=code[:100],
        error=error[:300],
        duration_ms=round(duration_s * 1000),
        task_id=carrier.task_id,
        worker=carrier.worker,
        fingerprint=message.fingerprint,
    )
