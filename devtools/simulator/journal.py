"""The emails that the simulated providers accepted, in memory and in an append-only file."""

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

# Values of `answered` in journals of earlier releases.
RENAMED = {"": "complete", "whole": "complete", "unheard": "unread"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One email to one recipient. Times are ISO 8601 in UTC; `seq` counts from 1 in the order of acceptance.

    `answered`: how the answer to the caller ended (complete, hung, cut, truncated, dribbled, error, or unread if the
    caller had left). `outcome`: delivered, bounced and so on. `tags`: those of SES, which are also in the metadata;
    `labels`: what the other providers call tags. `parts`: the alternatives to text and HTML, by type.
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
    cc: list[str] = field(default_factory=list)
    reply_to: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    answered: str = "complete"
    outcome: str = ""
    request_started_at: str = ""
    accepted_at: str = ""
    seq: int = 0


class Journal:
    """Appends a line before the provider's acceptance is sent."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.entries = _read(path)
        self._file = path.open("a", encoding="utf-8")
        if self._file.tell() and not path.read_bytes().endswith(b"\n"):
            self._file.write("\n")

    def accept(self, entries: Sequence[Entry]) -> list[Entry]:
        """Record accepted emails and return them with their times and numbers."""
        now = stamp(datetime.now(UTC))
        accepted = [
            replace(entry, seq=seq, accepted_at=now) for seq, entry in enumerate(entries, start=len(self.entries) + 1)
        ]
        self._file.writelines(map(_line, accepted))
        self._file.flush()
        self.entries += accepted
        return accepted

    def amend(self, seqs: Sequence[int], *, answered: str) -> None:
        """Correct how the answers ended. A later line with the same number replaces the earlier one."""
        for seq in seqs:
            entry = self.entries[seq - 1] = replace(self.entries[seq - 1], answered=answered)
            self._file.write(_line(entry))
        self._file.flush()

    def find(self, *, to: str = "", subject: str = "", provider: str = "", after: int = 0) -> list[Entry]:
        """Return the matching entries, newest first. Texts match anywhere; case is ignored."""
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
        since = stamp(datetime.now(UTC) - span)
        recent = takewhile(lambda entry: entry.accepted_at >= since, reversed(self.entries))
        return sum(entry.provider == provider for entry in recent)

    def close(self) -> None:
        self._file.close()


def stamp(at: datetime) -> str:
    # All times have this format, so that they sort as texts.
    return at.isoformat(timespec="microseconds")


def _line(entry: Entry) -> str:
    return json.dumps(asdict(entry), ensure_ascii=False) + "\n"


def _current_names(values: dict[str, Any]) -> dict[str, Any]:
    # `fate` and the values of `answered` were renamed.
    values = {"outcome" if name == "fate" else name: value for name, value in values.items()}
    return values | {"answered": RENAMED.get(values.get("answered", ""), values.get("answered", ""))}


def _read(path: Path) -> list[Entry]:
    if not path.exists():
        return []
    entries: list[Entry] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entry = Entry(**_current_names(json.loads(line)))
        except (ValueError, TypeError):
            # A process that was killed while writing leaves half a line. It had not answered yet.
            logger.warning("ignored line %d of the journal, which cannot be read", number)
            continue
        if 1 <= entry.seq <= len(entries):
            entries[entry.seq - 1] = entry
        else:
            entries.append(replace(entry, seq=len(entries) + 1))
    return entries
