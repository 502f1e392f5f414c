"""Turn an OutgoingBatch into the object that Anymail's backends send."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

from anymail.backends.base import AnymailBaseBackend, BasePayload
from anymail.message import AnymailRecipientStatus
from django.core.mail import EmailMultiAlternatives

from notifications.providers.base.checked import BadEmailError, single_line
from notifications.providers.base.compose import (
    as_written,
    checked_header,
    checked_part,
    checked_recipient,
    header_of,
    sender_header,
    tracking_metadata,
)
from notifications.providers.base.sending import (
    Accepted,
    BatchRecipient,
    OutgoingBatch,
    ProviderError,
    with_fields,
)


class NotInBatchError(Exception):
    """The provider accepts this email alone, but not in a batch. The text names the limit."""


class IncompleteAnswerError(Exception):
    """The provider has not answered for each recipient."""


class TooLargeError(BadEmailError):
    """The call would be too large; one with fewer recipients may not be."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One recipient of a batch, checked like a single email. The address is in ASCII.

    `given_id` is a new id, for a provider that does not answer with one for each recipient.
    """

    name: str
    address: str
    subject: str
    headers: dict[str, str]
    metadata: dict[str, str]
    fields: dict[str, str]
    given_id: str


class BatchMessage(EmailMultiAlternatives):
    """One email with tokens, to `entries`."""

    entries: Sequence[Entry]
    tags: Sequence[str]


@dataclass(frozen=True)
class Composer:
    """Checks the recipients of one batch one by one."""

    batch: OutgoingBatch

    def entry(self, recipient: BatchRecipient) -> Entry:
        """Return a recipient's part. Raises what `compose` raises for the same email alone."""
        batch, fields = self.batch, recipient.fields
        if fields.keys() != self._tokens:
            raise BadEmailError("not all recipients have the same tokens")
        for text in fields.values():
            text.encode()
        for name in self._blank_without_fields:
            checked_part(name, with_fields(getattr(batch, name), fields))
        name, address = checked_recipient(recipient.to_name, recipient.to_address)
        return Entry(
            name=name,
            address=address,
            subject=as_written(single_line(with_fields(batch.subject, fields))),
            headers=dict(map(self._header, recipient.headers.items())),
            metadata=tracking_metadata(recipient),
            fields=fields,
            given_id=str(uuid4()),
        )

    def message(self, entries: Sequence[Entry]) -> BatchMessage:
        """Return the email to these entries. Raises BadEmailError, BadSenderError and BadHeaderError."""
        message = BatchMessage(
            subject=single_line(self.batch.subject),
            body=checked_part("text", self.batch.text),
            from_email=sender_header(self.batch.from_email),
            to=[entry.address for entry in entries],
            reply_to=[*map(header_of, self.batch.reply_to)],
        )
        if self.batch.tags:
            message.tags = [*self.batch.tags]
        message.attach_alternative(checked_part("html", self.batch.html), "text/html")
        message.entries = entries
        return message

    @cached_property
    def _tokens(self) -> Iterable[str]:
        return self.batch.recipients[0].fields.keys()

    @cached_property
    def _blank_without_fields(self) -> list[str]:
        # These parts could be empty for some recipients.
        nothing = dict.fromkeys(self._tokens, "")
        return [name for name in ("text", "html") if not with_fields(getattr(self.batch, name), nothing).strip()]

    @cached_property
    def _headers(self) -> dict[tuple[str, str], tuple[str, str]]:
        return {}

    def _header(self, item: tuple[str, str]) -> tuple[str, str]:
        # Most headers are the same for all recipients.
        if item not in self._headers:
            self._headers[item] = checked_header(*item)
        return self._headers[item]


def without_recipients(payload: type[BasePayload]) -> Any:
    """Return what a payload reads, without `to`: a batch has entries."""
    return tuple(attribute for attribute in payload.base_message_attrs if attribute[0] != "to")


class Shares:
    """The entries of one call, without those because of whom the provider rejects all."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = list(entries)
        self._all = self.entries
        self._rejected: dict[int, ProviderError] = {}

    def leave_out(self, rejection: ProviderError) -> bool:
        """Take out the entries that a rejection names. Return whether there are any, and others are left."""
        named = [entry for place, entry in enumerate(self.entries) if place in rejection.places]
        if not named or len(named) == len(self.entries):
            return False
        self._rejected.update((id(entry), rejection) for entry in named)
        self.entries = [entry for entry in self.entries if id(entry) not in self._rejected]
        return True

    @property
    def has_rejected(self) -> bool:
        return bool(self._rejected)

    def merged(self, answers: list[Accepted | ProviderError]) -> list[Accepted | ProviderError]:
        """Add the rejections to the answers to the entries that are left."""
        rest = iter(answers)
        return [self._rejected.get(id(entry)) or next(rest) for entry in self._all]


class BatchBackend(AnymailBaseBackend):  # type: ignore[misc]
    """Mix in before Anymail's backend. `batch_payload` puts the entries of a BatchMessage into one request.

    `payload`, if there is one, replaces Anymail's for any other message.
    """

    batch_payload: type[BasePayload]
    payload: type[BasePayload] | None = None

    def build_message_payload(self, message: EmailMultiAlternatives, defaults: Any) -> BasePayload:
        payload = self.batch_payload if isinstance(message, BatchMessage) else self.payload
        return payload(message, defaults, self) if payload else super().build_message_payload(message, defaults)

    def parse_recipient_status(self, response: Any, payload: BasePayload, message: EmailMultiAlternatives) -> Any:
        # The provider reads the answer to a batch: Anymail's summary has one status per address.
        if isinstance(message, BatchMessage):
            unread = AnymailRecipientStatus(message_id=None, status="unknown")
            return dict.fromkeys((entry.address for entry in message.entries), unread)
        return super().parse_recipient_status(response, payload, message)
