"""The contract of a provider's webhook: the request it sends, the events in it, and what one event means."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from notifications.rules.outcomes import BounceKind, EventType


class InvalidSignatureError(Exception):
    """The request is not proven to be the provider's. The text says what is missing, for our log only."""


class MalformedError(Exception):
    """The request is the provider's, or could be, but cannot be taken apart."""


class OversizedError(Exception):
    """The request is the provider's and holds more than is taken in one go. The provider repeats it, or cuts it."""


class CannotVerifyError(Exception):
    """It cannot be found out now whether the request is the provider's: answer 5xx, and it will ask again.

    The set-up is incomplete, or somebody who has to be asked does not answer.
    """


class UnknownEventError(Exception):
    """One event says something that no mapping table knows how to read."""


@dataclass(frozen=True)
class WebhookRequest:
    """A webhook request: the body as it came in, byte for byte, and the headers (names in any case)."""

    body: bytes
    headers: Mapping[str, str]

    def header(self, name: str) -> str:
        """Return a header's value, "" where it did not come."""
        wanted = name.lower()
        return next((value for given, value in self.headers.items() if given.lower() == wanted), "")


@dataclass(frozen=True)
class RawEvent:
    """One event as the provider said it, without what people clicked: such links can carry tokens.

    `event_id` is the same at every repetition of the event and at no other event of this provider, and has at most 200
    characters. `payload` holds nothing that PostgreSQL's jsonb refuses.
    """

    event_id: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class WebhookBatch:
    """A request that is proven genuine. `note` is for our log, where there is something to say of it."""

    events: list[RawEvent] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class InterpretedEvent:
    """What one event says about one mail to one address.

    `message_id` and `attempt` are what we gave the provider along, None where they did not come back. `detail` is the
    provider's or the mailbox's word on it, at most 300 characters. `recipient` is lower-cased. `also` is what the event
    says of the address beside the mail: one that was dropped because the person had complained before. `was_taken` is
    False where the provider said it in its answer, and so never accepted the email. `header_id` is the message id in a
    Message-ID header that looks like one of ours; others write such headers too.

    An event may name no message at all: a bounce that comes by email, hours later. `recipient` may be "" where the
    message is named. `is_strange`: the provider's id is none that it gives us when it takes an email.
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
        """True if the event says which message it is about, by an id of ours or by the provider's."""
        return bool(self.message_id or (self.provider_message_id and not self.is_strange))


# What a provider's own word for an event means; None: nothing of an email's fate.
Told = tuple[EventType, BounceKind | None] | None


class Webhook(ABC):
    """How one provider reports. Both halves are pure but for SNS, which fetches certificates and confirms topics."""

    provider: ClassVar[str]
    # What the provider sends at once is well below this. It is taken apart before it is proven genuine, or after.
    max_bytes: ClassVar[int] = 1_000_000
    max_events: ClassVar[int] = 50_000

    @abstractmethod
    def missing_settings(self) -> list[str]:
        """Return the names of the settings without which nothing can be proven genuine."""

    def unusable_settings(self) -> list[str]:
        """Return the names of the settings that are set to something nothing can be proven with."""
        return []

    def require_settings(self) -> None:
        """Raise CannotVerifyError while a setting is missing: the provider's later attempts may find it."""
        if missing := self.missing_settings():
            raise CannotVerifyError(f"{missing[0]} is not set")

    def bounce_types(self) -> Mapping[str, Told]:
        """Return the provider's own types of bounces, as docs/answers.md lists them."""
        return {}

    @abstractmethod
    def verify_and_parse(self, request: WebhookRequest) -> WebhookBatch:
        """Prove that the provider sent this, and return its events.

        Raises InvalidSignatureError, MalformedError, OversizedError and CannotVerifyError.

        Events that say nothing of a mail's fate (opens, clicks) are left out here and are stored nowhere.
        """

    @abstractmethod
    def interpret(self, payload: dict[str, Any]) -> InterpretedEvent | None:
        """Return what a stored event says, None if nothing of a mail's fate. Raises UnknownEventError."""
