"""The simulator's state: its providers, its journal, and the calls in progress."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from devtools.simulator.calls import Calls
from devtools.simulator.controls import BadControlError, Controls
from devtools.simulator.dialects.base import Dialect
from devtools.simulator.dialects.postmark import Postmark
from devtools.simulator.dialects.sendgrid import SendGrid
from devtools.simulator.dialects.ses import Ses
from devtools.simulator.faults import ANSWERED, UNREAD, Fault
from devtools.simulator.journal import Entry, Journal
from devtools.simulator.outcomes import FINAL, Outcome, outcome_of
from devtools.simulator.reporter import Reporter

# The first one's values stand for all providers in the API.
SMTP = "smtp"
DIALECTS: tuple[Dialect, ...] = (SendGrid("simulator"), SendGrid(), Ses(), Postmark())


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Why and since when an address is on a provider's suppression list."""

    outcome: Outcome
    at: datetime


@dataclass
class Part:
    """One provider: its controls, its suppression list and its counters.

    `sends` and `accepted` count since the seed was last set.
    """

    controls: Controls
    suppressed: dict[str, Listed] = field(default_factory=dict)
    refused: int = 0
    sends: int = 0
    accepted: int = 0

    def set_controls(self, controls: Controls, *, restart_chance: bool) -> None:
        self.controls = controls
        if restart_chance:
            self.sends = self.accepted = 0

    def next_fault(self) -> Fault:
        self.sends += 1
        fault, self.controls = self.controls.next_send(self.sends)
        return fault

    def next_outcome(self, address: str) -> Outcome:
        return outcome_of(address, self.controls, self.accepted + 1, listed=address.lower() in self.suppressed)


@dataclass(kw_only=True)
class HttpPart(Part):
    """A provider with an HTTP API."""

    dialect: Dialect


class Held:
    """The waits in the simulator, which all end with the process."""

    def __init__(self) -> None:
        self._waits: set[asyncio.Event] = set()
        self.over = False

    @contextmanager
    def interruptible(self) -> Iterator[asyncio.Event]:
        # The end of the process sets the event; callers may set it too.
        event = asyncio.Event()
        self._waits.add(event)
        if self.over:
            event.set()
        try:
            yield event
        finally:
            self._waits.discard(event)

    def end(self) -> None:
        self.over = True
        for event in self._waits:
            event.set()


class Simulator:
    """`reporter` is None without a webhook URL."""

    def __init__(self, journal: Journal, controls: Controls, *, keep_bodies: bool = False) -> None:
        self.journal = journal
        self.http_parts = {dialect.name: HttpPart(dialect=dialect, controls=controls) for dialect in DIALECTS}
        self.parts: dict[str, Part] = {**self.http_parts, SMTP: Part(controls)}
        self.reporter: Reporter | None = None
        self.held = Held()
        self.calls = Calls(keep_bodies=keep_bodies)
        self.in_flight = 0

    def controls_of(self, provider: str) -> Controls:
        return self.parts[provider].controls

    def set_controls(self, values: Mapping[str, object], provider: str = "") -> None:
        """Change the controls of one provider, or of all. Raises BadControlError without a change."""
        if provider and provider not in self.parts:
            raise BadControlError(f"There is no provider {provider!r}. The providers are {', '.join(self.parts)}.")
        parts = [self.parts[provider]] if provider else list(self.parts.values())
        changed = [part.controls.changed(values) for part in parts]
        for part, controls in zip(parts, changed, strict=True):
            part.set_controls(controls, restart_chance="seed" in values)

    def accept(self, part: Part, entries: Sequence[Entry]) -> list[int]:
        """Record the emails with their outcomes, schedule their reports, and return their numbers."""
        numbers: list[int] = []
        decided: list[Entry] = []
        for entry in entries:
            outcome = part.next_outcome(entry.to)
            part.accepted += 1
            numbers.append(part.accepted)
            decided.append(replace(entry, outcome=outcome.value))
            if outcome in FINAL:
                part.suppressed[entry.to.lower()] = Listed(outcome=outcome, at=datetime.now(UTC))
        accepted = self.journal.accept(decided)
        for entry, number in zip(accepted, numbers, strict=True):
            if self.reporter:
                self.reporter.report(entry, number)
        return [entry.seq for entry in accepted]

    def hung_up(self, port: int) -> None:
        """Record that the caller at this port has ended its connection without reading the answer.

        A caller that has read the answer closes the connection in order.
        """
        call = self.calls.latest_of(port)
        if call is not None and call.emails and call.ended == ANSWERED[Fault.NONE]:
            call.ended = UNREAD
            self.journal.amend(call.emails, answered=UNREAD)

    def reported(self, seq: int) -> list[dict[str, Any]]:
        return self.reporter.reported(seq) if self.reporter else []

    def stats(self) -> dict[str, object]:
        ids = {entry.metadata.get("mailroom_message_id") for entry in self.journal.entries} - {None}
        return {
            "accepted": len(self.journal.entries),
            "refused": sum(part.refused for part in self.parts.values()),
            "by_provider": dict(self.journal.by_provider()),
            "distinct_message_ids": len(ids),
            "in_flight": self.in_flight,
            **(self.reporter.stats() if self.reporter else {}),
        }
