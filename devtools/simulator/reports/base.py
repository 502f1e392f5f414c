"""The interface of a provider's webhooks."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any, ClassVar

from devtools.simulator.journal import Entry
from devtools.simulator.outcomes import Event


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One event of one email. A duplicated report has the same `event_id`."""

    entry: Entry
    event: Event
    event_id: str
    at: datetime


@dataclass(frozen=True)
class Post:
    body: bytes
    headers: Mapping[str, str]


class Reports(ABC):
    """Pure except for signing. `pauses` between attempts are in units of `webhook_pause_ms`.

    They follow the provider's schedule, but are shorter.
    """

    most_events: ClassVar[int] = 1
    pauses: ClassVar[tuple[float, ...]]

    @abstractmethod
    def event(self, happening: Happening) -> dict[str, Any] | None:
        """Return the event in the provider's format, or None if it is not reported."""

    @abstractmethod
    def post(self, events: Sequence[dict[str, Any]]) -> Post:
        """Return the signed request with up to `most_events` events."""

    def tries_again(self, status: int | None) -> bool:
        """Return whether the provider retries after this status, or None for no response."""
        return True


def bare(sender: str) -> str:
    return parseaddr(sender)[1]
