"""The vocabulary between delivery and a provider: what goes in, what comes back, what can go wrong."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class ErrorClass(StrEnum):
    """The one fact that decides what happens to a message that was not plainly accepted."""

    TRANSIENT = "transient"  # surely not sent; may be tried again
    RATE_LIMITED = "rate-limited"  # surely not sent; the provider wants less for a while
    PERMANENT = "permanent"  # surely not sent, and this message never will be
    MISCONFIGURED = "misconfigured"  # surely not sent; no message will be until somebody mends the set-up
    AMBIGUOUS = "ambiguous"  # may have been sent


class ProviderError(Exception):
    """A mail that was not plainly accepted.

    `detail` is a sentence of ours: foreign exceptions hold API keys and bodies and stay behind at the edge.
    `retry_after_s` is the provider's own wish, where it gave one.
    """

    def __init__(
        self, error_class: ErrorClass, code: str, detail: str = "", *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(error_class, code, detail)
        self.error_class = error_class
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.error_class}: {self.code}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, kw_only=True)
class OutgoingMail:
    """One rendered mail to one recipient. `to_name` may be empty."""

    message_id: UUID
    attempt: int
    from_email: str
    to_address: str
    to_name: str = ""
    subject: str
    text: str
    html: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Accepted:
    provider_message_id: str
