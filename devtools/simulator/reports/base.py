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
    """One event of one email. `event_id` stays the same when it is reported twice."""

    entry: Entry
    event: Event
    event_id: str
    at: datetime


@dataclass(frozen=True)
class Post:
    body: bytes
    headers: Mapping[str, str]


class Reports(ABC):
    """Pure but for signing. `pauses` are those between two tries, in units of `webhook_pause_ms`: the
    provider's own schedule, shortened, with an end.
    """

    most_events: ClassVar[int] = 1
    pauses: ClassVar[tuple[float, ...]]

    @abstractmethod
    def event(self, happening: Happening) -> dict[str, Any] | None:
        """Return the event as the provider reports it; None if it does not."""

    @abstractmethod
    def post(self, events: Sequence[dict[str, Any]]) -> Post:
        """Return the signed request for some events, at most `most_events`."""

    def tries_again(self, status: int | None) -> bool:
        """Return whether the provider posts again after an answer other than 2xx; None is no answer."""
        return True


def bare(sender: str) -> str:
    return parseaddr(sender)[1]
