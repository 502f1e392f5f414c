"""The contract of a provider's webhook: its request, the events in it, their meaning."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from notifications.rules.outcomes import BounceKind, EventType


class InvalidSignatureError(Exception):
    """The request is not proven to be the provider's. The text, for our log only, says what is missing."""


class MalformedError(Exception):
    """The request may be the provider's, but cannot be parsed."""


class OversizedError(Exception):
    """The request is the provider's, but too large. The provider repeats it, or splits it."""


class CannotVerifyError(Exception):
    """Whether the request is the provider's cannot be verified now.

    The answer is 5xx, so the provider retries. The set-up is incomplete, or a server that must be asked does not
    answer.
    """


class UnknownEventError(Exception):
    """The mapping tables have no entry for the event."""


@dataclass(frozen=True)
class WebhookRequest:
    """A webhook request: the body, byte for byte, and the headers (names in any case)."""

    body: bytes
    headers: Mapping[str, str]

    def header(self, name: str) -> str:
        # "" if it is missing.
        wanted = name.lower()
        return next((value for given, value in self.headers.items() if given.lower() == wanted), "")


@dataclass(frozen=True)
class RawEvent:
    """One event as the provider said it, without clicked links: these can carry tokens.

    `event_id` is the same at every repetition of the event and at no other event of this provider, and has at most 200
    characters. `payload` holds nothing that PostgreSQL's jsonb refuses.
    """

    event_id: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class WebhookBatch:
    """The events of a verified request. `note` is for our log, or empty."""

    events: list[RawEvent] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class InterpretedEvent:
    """What one event says about one message to one address.

    `message_id` and `attempt` are what we gave the provider along, None if they did not come back. `detail` is the
    provider's or the mailbox's text on it, at most 300 characters. `recipient` is lower-cased. `also` is what the event
    says about the address beside the message: a message that was dropped because of an earlier complaint. `was_taken`
    is False if the provider said it in its answer, and so never accepted the email. `header_id` is the message id in a
    Message-ID header that looks like one of ours; others write such headers too. An event may name no message, such as
    a bounce that arrives by email hours later. `recipient` may be "" if the message is named. `is_strange`: the
    provider's id has not the form of its acceptances.
    """

    kind: EventType
    recipient: str
    bounce: BounceKind | None = None
    also: EventType | None = None
    message_id: UUID | None = None
    header_id: UUID | None = None
    attempt: int | None = None
    provider_message_id: str = ""
    occurred_at: datetime | None = None
    detail: str = ""
    was_taken: bool = True
    is_strange: bool = field(default=False, compare=False)

    @property
    def is_named(self) -> bool:
        # By an id of ours or by the provider's.
        return bool(self.message_id or (self.provider_message_id and not self.is_strange))


# What a provider's own word for an event means; None: nothing of an email's fate.
Told = tuple[EventType, BounceKind | None] | None


class Webhook(ABC):
    """How one provider reports. Both halves are pure, except that SNS fetches certificates and confirms topics."""

    provider: ClassVar[str]
    # What the provider sends at once is well below this. It is taken apart before it is proven genuine, or after.
    max_bytes: ClassVar[int] = 1_000_000
    max_events: ClassVar[int] = 50_000

    @abstractmethod
    def missing_settings(self) -> list[str]:
        """Return the names of the settings without which nothing can be verified."""

    def unusable_settings(self) -> list[str]:
        """Return the names of the settings with values that cannot verify anything."""
        return []

    def require_settings(self) -> None:
        """Raise CannotVerifyError while a setting is missing. The provider's retries may find it."""
        if missing := self.missing_settings():
            raise CannotVerifyError(f"{missing[0]} is not set")

    def bounce_types(self) -> Mapping[str, Told]:
        """Return the provider's own types of bounces, as docs/reference/provider-answers.md lists them."""
        return {}

    @abstractmethod
    def verify_and_parse(self, request: WebhookRequest) -> WebhookBatch:
        """Verify that the provider sent this, and return its events.

        Raises InvalidSignatureError, MalformedError, OversizedError and CannotVerifyError. Events that say nothing
        about a message's fate (opens, clicks) are left out here and stored nowhere.
        """

    @abstractmethod
    def interpret(self, payload: dict[str, Any]) -> InterpretedEvent | None:
        """Return what an event says, None if nothing about the message's fate. Raises UnknownEventError."""
