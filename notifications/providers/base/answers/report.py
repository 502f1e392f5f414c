"""Turn a rejection of the address into an event, like one from a webhook. Pure."""

from datetime import datetime
from typing import Any
from uuid import UUID

from notifications.providers.base.webhook import InterpretedEvent
from notifications.rules.outcomes import BounceKind, EventType

_PREFIX = "answer:"


def event_id(message_id: UUID, attempt: int) -> str:
    return f"{_PREFIX}{message_id}:{attempt}"


def is_answer(given: str) -> bool:
    # Return whether the event was made from an answer.
    return given.startswith(_PREFIX)


def payload(*, message_id: UUID, attempt: int, bounce: BounceKind, said: str, at: datetime) -> dict[str, Any]:
    # Without the address: the message has it.
    return {
        "message": str(message_id),
        "attempt": attempt,
        "bounce": bounce.value,
        "said": said,
        "at": at.isoformat(),
    }


def interpreted(stored: dict[str, Any]) -> InterpretedEvent:
    return InterpretedEvent(
        kind=EventType.BOUNCED,
        recipient="",
        bounce=BounceKind(stored["bounce"]),
        message_id=UUID(stored["message"]),
        attempt=stored["attempt"],
        occurred_at=datetime.fromisoformat(stored["at"]),
        detail=stored["said"],
        was_taken=False,
    )
