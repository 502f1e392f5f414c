"""The contract of a provider's webhook: its request, the events in it, their meaning."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from notifications.rules.outcomes import BounceKind, EventType


class InvalidSignatureError(Exception):
    """Nothing proves that the provider sent the request. The text, for our log only, names what is missing."""


class MalformedError(Exception):
    """The request cannot be parsed, though the provider may have sent it."""


class OversizedError(Exception):
    """The provider's request is too large; the provider will repeat or split it."""


class CannotVerifyError(Exception):
    """The sender of the request cannot be verified now.

    The set-up is incomplete, or Amazon does not answer. The answer is 5xx, so that the provider retries.
    """


class UnknownEventError(Exception):
    """No mapping table has an entry for the event."""


@dataclass(frozen=True)
class WebhookRequest:
    """A webhook request: the bytes of its body, and headers with names in any case."""

    body: bytes
    headers: Mapping[str, str]

    def header(self, name: str) -> str:
        # "" if there is none.
        wanted = name.lower()
        return next((value for given, value in self.headers.items() if given.lower() == wanted), "")


@dataclass(frozen=True)
class RawEvent:
    """One event as the provider sent it, without clicked links, which may contain tokens.

    `event_id` identifies the event among those of the provider, in every repetition, with at most 200 characters.
    PostgreSQL's jsonb can store `payload`.
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
    """The meaning of one event about one message to one address.

    `message_id` and `attempt` are those we sent with the email; None if the event lacks them. `header_id` is the id in
    a Message-ID header of our form, which other applications may also write. An event may name no message, such as a
    bounce that arrives by email hours later. `recipient` is in lower case; "" is possible if the message is named.
    `also` is what the event says about the address besides the message: the message was dropped because of an earlier
    complaint. `detail` is the text of the provider or the recipient's server, at most 300 characters. `was_taken` is
    False if the event was made from an answer, so that the provider never accepted the email. `is_strange`: the
    provider's id differs in form from the ids of its acceptances.
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
        # By our id or the provider's.
        return bool(self.message_id or (self.provider_message_id and not self.is_strange))


# The meaning of a provider's type of event; None: nothing about delivery.
EventMeaning = tuple[EventType, BounceKind | None] | None


class Webhook(ABC):
    """The webhook of one provider. Its methods are pure, except that SNS fetches certificates and confirms topics."""

    provider: ClassVar[str]
    # How to fix a setting that cannot be used.
    setting_hint: ClassVar[str] = "Copy the verification key as the provider's page shows it."
    # Requests of the provider are much smaller. Some bodies must be parsed before the signature can be verified.
    max_bytes: ClassVar[int] = 1_000_000
    max_events: ClassVar[int] = 50_000

    @abstractmethod
    def missing_settings(self) -> list[str]:
        """Return the names of the missing settings that verification needs."""

    def unusable_settings(self) -> list[str]:
        """Return the names of the settings whose values cannot be used for verification."""
        return []

    def require_settings(self) -> None:
        """Raise CannotVerifyError if a setting is missing; the provider retries until it is set."""
        if missing := self.missing_settings():
            raise CannotVerifyError(f"{missing[0]} is not set")

    def bounce_types(self) -> Mapping[str, EventMeaning]:
        """Return the provider's types of bounces for docs/reference/provider-answers.md."""
        return {}

    @abstractmethod
    def verify_and_parse(self, request: WebhookRequest) -> WebhookBatch:
        """Verify that the provider sent the request, and return its events.

        Raises InvalidSignatureError, MalformedError, OversizedError and CannotVerifyError. Leaves out events that say
        nothing about delivery (opens, clicks); they are not stored.
        """

    @abstractmethod
    def interpret(self, payload: dict[str, Any]) -> InterpretedEvent | None:
        """Return an event's meaning, None if it is not about delivery. Raises UnknownEventError."""
