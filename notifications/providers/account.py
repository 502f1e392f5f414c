"""What a provider's account tells and does beside sending: its quota, its own suppression list, its set-up."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Quota:
    """What the account may send, over all applications that use it. None: the provider sets no such limit."""

    per_second: float | None
    per_day: int | None
    sent_today: int


class Verdict(StrEnum):
    GOOD = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of `provider_check`: what was looked at, how it is, and what to do about it."""

    subject: str
    verdict: Verdict
    text: str
    hint: str = ""


class Account(ABC):
    """One provider's account. Every method makes network calls of its own and raises ProviderError."""

    provider: ClassVar[str]

    @abstractmethod
    def quota(self) -> Quota | None:
        """Return what the account may send, or None where the provider does not say."""

    @abstractmethod
    def unsuppress(self, address: str) -> bool:
        """Take an address off the provider's own suppression lists; False if it was on none."""

    @abstractmethod
    def inspect(self) -> list[Finding]:
        """Look at credentials, sender identity, sandbox and webhook set-up, without sending anything."""
