"""Every call that asked to send, also those that were not accepted: the journal has accepted emails only.

Kept in memory only. A fault run reads here which calls a killed or frozen process had in progress.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from devtools.simulator.journal import stamp

# As many of the latest are remembered.
MOST = 50_000


@dataclass(kw_only=True)
class Call:
    """One request to send. `port` is the caller's end of its connection.

    `to`, `subject` and `metadata` are those of its first recipient, empty where the request could not be read.
    `ended` is empty while it is being worked on; then it says how the answer ended, as the journal does, or that the
    call was refused. `mails` are the numbers that the journal has given to what was taken.
    """

    seq: int
    provider: str
    port: int
    started_at: str
    to: str = ""
    subject: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    mails: list[int] = field(default_factory=list)
    ended: str = ""
    ended_at: str = ""

    def end(self, how: str) -> None:
        """Only the first word counts."""
        if not self.ended:
            self.ended, self.ended_at = how, stamp(datetime.now(UTC))


class Calls:
    def __init__(self) -> None:
        self._latest: deque[Call] = deque(maxlen=MOST)
        self._seq = 0

    def begin(self, provider: str, port: int) -> Call:
        self._seq += 1
        call = Call(seq=self._seq, provider=provider, port=port, started_at=stamp(datetime.now(UTC)))
        self._latest.append(call)
        return call

    def latest_of(self, port: int) -> Call | None:
        """Return the last call that came over the caller's connection with this end."""
        return next((call for call in reversed(self._latest) if call.port == port), None)

    def after(self, seq: int, limit: int = MOST) -> list[Call]:
        """Return the latest `limit` of the calls that began after the one with this number, oldest first."""
        return list(islice(self._newer_than(seq), limit))[::-1]

    def _newer_than(self, seq: int) -> Iterator[Call]:
        for call in reversed(self._latest):
            if call.seq <= seq:
                return
            yield call
