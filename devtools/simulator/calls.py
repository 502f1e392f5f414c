"""The calls that asked to send an email, accepted or not. The journal has only accepted emails.

Kept in memory. A fault run reads here which calls a killed or frozen process had in progress.
"""

from base64 import b64encode
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from devtools.simulator.journal import Entry, stamp

# The number of calls that are kept.
MOST = 50_000


@dataclass(kw_only=True)
class Call:
    """One request to send. `port` is the caller's end of its connection.

    `to`, `subject` and `metadata` are those of its first recipient, empty if the request could not be read. `batch` has
    the metadata of all recipients. `ended` is empty while the call is in progress, then how the answer ended, as in the
    journal, or "refused". `emails` are the accepted emails' numbers in the journal. If bodies are kept, `body` is what
    the caller sent, in base64, and `envelope` has SMTP's sender and recipients.
    """

    seq: int
    provider: str
    port: int
    started_at: str
    to: str = ""
    subject: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    batch: list[dict[str, str]] = field(default_factory=list)
    emails: list[int] = field(default_factory=list)
    ended: str = ""
    ended_at: str = ""
    body: str = ""
    envelope: list[str] = field(default_factory=list)

    def describe(self, entries: Sequence[Entry]) -> None:
        """Record what was asked for."""
        if entries:
            self.to, self.subject, self.metadata = entries[0].to, entries[0].subject, entries[0].metadata
        self.batch = [entry.metadata for entry in entries]

    def end(self, how: str) -> None:
        # Only the first call has an effect.
        if not self.ended:
            self.ended, self.ended_at = how, stamp(datetime.now(UTC))


class Calls:
    def __init__(self, *, keep_bodies: bool = False) -> None:
        self.keep_bodies = keep_bodies
        self._latest: deque[Call] = deque(maxlen=MOST)
        self._seq = 0

    def begin(self, provider: str, port: int) -> Call:
        self._seq += 1
        call = Call(seq=self._seq, provider=provider, port=port, started_at=stamp(datetime.now(UTC)))
        self._latest.append(call)
        return call

    def keep(self, call: Call, body: bytes, envelope: Sequence[str] = ()) -> None:
        if self.keep_bodies:
            call.body, call.envelope = b64encode(body).decode(), list(envelope)

    def latest_of(self, port: int) -> Call | None:
        """Return the last call on the connection from this port."""
        return next((call for call in reversed(self._latest) if call.port == port), None)

    def after(self, seq: int, limit: int = MOST) -> list[Call]:
        """Return the latest `limit` calls after the one with this number, oldest first."""
        return list(islice(self._newer_than(seq), limit))[::-1]

    def _newer_than(self, seq: int) -> Iterator[Call]:
        for call in reversed(self._latest):
            if call.seq <= seq:
                return
            yield call
