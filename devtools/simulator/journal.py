"""The emails that the simulated providers accepted: an append-only file, indexed in memory."""

import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One mail to one recipient. Times are ISO 8601 in UTC; `seq` counts from 1 in the order of acceptance.

    `answered` says how the answer to the caller ended: whole, hung, cut, truncated, dribbled, or unheard if the caller
    had left before. `outcome` is the recipient's side. `tags` are SES's, which are also among the metadata.
    """

    provider: str
    provider_message_id: str
    to: str
    to_name: str = ""
    sender: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    answered: str = "whole"
    outcome: str = ""
    request_started_at: str = ""
    accepted_at: str = ""
    seq: int = 0


class Journal:
    """Lines are only appended, before the provider's acceptance is sent."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.entries = _read(path)
        self._file = path.open("a", encoding="utf-8")
        if self._file.tell() and not path.read_bytes().endswith(b"\n"):
            self._file.write("\n")

    def accept(self, entries: Sequence[Entry]) -> list[Entry]:
        """Record accepted emails; return them with their times and numbers."""
        now = stamp(datetime.now(UTC))
        accepted = [
            replace(entry, seq=seq, accepted_at=now) for seq, entry in enumerate(entries, start=len(self.entries) + 1)
        ]
        self._file.writelines(map(_line, accepted))
        self._file.flush()
        self.entries += accepted
        return accepted

    def amend(self, seqs: Sequence[int], *, answered: str) -> None:
        """Correct how the answer ended: a line with a number that was there before replaces that line."""
        for seq in seqs:
            entry = self.entries[seq - 1] = replace(self.entries[seq - 1], answered=answered)
            self._file.write(_line(entry))
        self._file.flush()

    def find(self, *, to: str = "", subject: str = "", provider: str = "", after: int = 0) -> list[Entry]:
        """Return what matches, newest first; texts match in any case and anywhere."""
        to, subject = to.casefold(), subject.casefold()
        return [
            entry
            for entry in reversed(self.entries[after:])
            if to in entry.to.casefold() and subject in entry.subject.casefold() and provider in {"", entry.provider}
        ]

    def get(self, seq: int) -> Entry | None:
        return self.entries[seq - 1] if 1 <= seq <= len(self.entries) else None

    def by_provider(self) -> Counter[str]:
        return Counter(entry.provider for entry in self.entries)

    def accepted_within(self, provider: str, span: timedelta) -> int:
        """Return how many mails a provider has accepted in the last `span`."""
        since = stamp(datetime.now(UTC) - span)
        recent = takewhile(lambda entry: entry.accepted_at >= since, reversed(self.entries))
        return sum(entry.provider == provider for entry in recent)

    def close(self) -> None:
        self._file.close()


def stamp(at: datetime) -> str:
    """Return a time as everything here writes it, so that texts sort as times do."""
    return at.isoformat(timespec="microseconds")


def _line(entry: Entry) -> str:
    return json.dumps(asdict(entry), ensure_ascii=False) + "\n"


def _current_names(values: dict[str, Any]) -> dict[str, Any]:
    """Return a line's values under today's names: `outcome` was `fate` once."""
    return {"outcome" if name == "fate" else name: value for name, value in values.items()}


def _read(path: Path) -> list[Entry]:
    if not path.exists():
        return []
    entries: list[Entry] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entry = Entry(**_current_names(json.loads(line)))
        except (ValueError, TypeError):
            # A process that was killed while it wrote leaves half a line; its answer never went out.
            logger.warning("journal line %d cannot be read and is left out", number)
            continue
        if 1 <= entry.seq <= len(entries):
            entries[entry.seq - 1] = entry
        else:
            entries.append(replace(entry, seq=len(entries) + 1))
    return entries
