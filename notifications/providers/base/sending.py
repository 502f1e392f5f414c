"""What delivery and a provider exchange: the email, the acceptance, the error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from notifications.rules.addresses import NamedAddress
from notifications.rules.content import Attachment
from notifications.rules.outcomes import BounceKind
from notifications.rules.retry import COST_NO_ATTEMPT, ErrorClass


class About(StrEnum):
    """What an answer is about; this decides which emails it affects."""

    RECIPIENT = "recipient"  # this address, temporarily or permanently
    MESSAGE = "message"  # the content or size of this message
    US = "us"  # our account, sender or set-up: every message gets the same answer
    MOMENT = "moment"  # the provider is down, or limits our rate
    UNKNOWN = "unknown"  # nothing certain


USUALLY_ABOUT = {
    ErrorClass.TRANSIENT: About.MOMENT,
    ErrorClass.RATE_LIMITED: About.MOMENT,
    ErrorClass.PERMANENT: About.MESSAGE,
    ErrorClass.MISCONFIGURED: About.US,
    ErrorClass.AMBIGUOUS: About.UNKNOWN,
}


class ProviderError(Exception):
    """The provider did not accept an email, or it is unknown whether it did.

    `detail` is our text, or the server's without addresses; never a library's, which may contain API keys and bodies.
    `retry_after_s` is how long the provider asks us to wait. `bounce` is what the answer says about the address, if the
    message gets no other attempt. `is_reply`: it comes from the provider, not from a library. `never_left`: the
    provider was not called. `may_be_of_some`: see Meaning. `places`: the entries of a batch because of
    which the provider rejects all, if the answer names them.
    """

    def __init__(
        self,
        error_class: ErrorClass,
        code: str,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        about: About | None = None,
        bounce: BounceKind | None = None,
    ) -> None:
        super().__init__(error_class, code, detail)
        self.error_class = error_class
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.about = about or USUALLY_ABOUT[error_class]
        self.bounce = bounce
        self.is_reply = False
        self.never_left = False
        self.may_be_of_some = False
        self.places: frozenset[int] = frozenset()

    def with_detail(self, detail: str) -> "ProviderError":
        same = ProviderError(self.error_class, self.code, detail)
        vars(same).update({**vars(self), "detail": detail})
        return same

    def of_several(self) -> "ProviderError":
        """Return what this answer means for an email to several recipients."""
        # It names none of them.
        same = self.with_detail(self.detail)
        same.bounce = None
        same.about = About.MESSAGE if self.about is About.RECIPIENT else self.about
        return same

    @property
    def is_about_one_message(self) -> bool:
        # The provider works, and only rejects this message or its recipient.
        return self.about in {About.RECIPIENT, About.MESSAGE}

    @property
    def costs_an_attempt(self) -> bool:
        return self.error_class not in COST_NO_ATTEMPT

    def __str__(self) -> str:
        return f"{self.error_class}: {self.code}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, kw_only=True)
class OutgoingEmail:
    """One rendered email to one recipient, and perhaps `more_to`, `cc` and `bcc`. `to_name` may be empty."""

    message_id: UUID
    attempt: int
    from_email: str
    to_address: str
    to_name: str = ""
    subject: str
    text: str
    html: str
    headers: Mapping[str, str] = field(default_factory=dict)
    more_to: Sequence[NamedAddress] = ()
    cc: Sequence[NamedAddress] = ()
    bcc: Sequence[NamedAddress] = ()
    reply_to: Sequence[NamedAddress] = ()
    tags: Sequence[str] = ()
    attachments: Sequence[Attachment] = ()
    # A Django email, which is sent as its author wrote it; the other fields describe it.
    email: Mapping[str, Any] | None = None

    @property
    def has_several_recipients(self) -> bool:
        return bool(self.more_to or self.cc or self.bcc)


@dataclass(frozen=True, kw_only=True)
class BatchRecipient:
    """One recipient of a batch. `fields` holds the recipient's own text for each token. `to_name` may be empty."""

    message_id: UUID
    attempt: int
    to_address: str
    to_name: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OutgoingBatch:
    """One rendered email to several recipients.

    Tokens in `subject`, `text` and `html` stand for each recipient's own text. All recipients have the same tokens. No
    token is part of another one, or of a text that replaces one.
    """

    from_email: str
    subject: str
    text: str
    html: str
    recipients: tuple[BatchRecipient, ...]
    reply_to: Sequence[NamedAddress] = ()
    tags: Sequence[str] = ()

    def email_to(self, recipient: BatchRecipient) -> OutgoingEmail:
        """Return the same email to one recipient alone, with its tokens replaced."""
        return OutgoingEmail(
            message_id=recipient.message_id,
            attempt=recipient.attempt,
            from_email=self.from_email,
            to_address=recipient.to_address,
            to_name=recipient.to_name,
            subject=with_fields(self.subject, recipient.fields),
            text=with_fields(self.text, recipient.fields),
            html=with_fields(self.html, recipient.fields),
            headers=recipient.headers,
            reply_to=self.reply_to,
            tags=self.tags,
        )


def with_fields(text: str, fields: dict[str, str]) -> str:
    # With its tokens replaced.
    for token, own in fields.items():
        text = text.replace(token, own)
    return text


@dataclass(frozen=True)
class Accepted:
    """The provider has accepted the email. `note`: what it said about further recipients whom it refused."""

    provider_message_id: str
    note: str = ""
