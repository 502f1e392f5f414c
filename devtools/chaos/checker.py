"""Check the acknowledged requests against the providers' journals. Pure; our own rows prove nothing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devtools.chaos.workload import Operation, Result
from devtools.stack.facts import Fact, kind_of

# How the journal calls an answer that its caller received whole.
WHOLE = "whole"

# (message id, attempt), as both travel with the mail.
Try = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """A copy after the first. `why` is empty where nothing explains it."""

    fact: Fact
    message_id: str
    provider: str
    accepted_at: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`accepted`: acknowledged facts. `sent`: emails about them, copies included. `strays`: facts of other emails."""

    accepted: int
    sent: int
    lost: list[Fact]
    duplicates: list[Duplicate]
    strays: list[Fact]

    @property
    def unexplained(self) -> list[Duplicate]:
        return [duplicate for duplicate in self.duplicates if not duplicate.why]


def promised(operations: Iterable[Operation]) -> list[Operation]:
    """Return the acknowledged operations that an email must follow, in their order.

    A reset link that was used confirms the address: its welcome is no longer relevant, and may be left out.
    """
    done = [one for one in operations if one.result is Result.ACKNOWLEDGED]
    confirmed = {one.address for one in done if one.kind == "password-changed"}
    return [one for one in done if not (one.kind == "welcome" and one.address in confirmed)]


def judge(
    acknowledged: Collection[Fact], journal: Sequence[Mapping[str, Any]], lost_answers: Mapping[Try, str]
) -> Verdict:
    """Compare the acknowledged facts with the journal's entries, oldest first, of all providers.

    `lost_answers` is what the killer's log says of each try. A copy is explained by an earlier copy of the same message
    if the journal or the killer's log says that its answer was lost; each earlier copy explains one.
    """
    copies: dict[Fact, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in journal:
        copies[fact_of(entry)].append(entry)
    return Verdict(
        accepted=len(set(acknowledged)),
        sent=sum(len(copies[fact]) for fact in set(acknowledged) if fact in copies),
        lost=sorted(fact for fact in set(acknowledged) if fact not in copies),
        # Of strays too: an email without an acknowledged request must not arrive twice either.
        duplicates=[duplicate for entries in copies.values() for duplicate in duplicates(entries, lost_answers)],
        strays=sorted(copies.keys() - set(acknowledged)),
    )


def duplicates(entries: Sequence[Mapping[str, Any]], lost_answers: Mapping[Try, str]) -> list[Duplicate]:
    """Return the copies of one fact after the first."""
    unused: dict[str, list[str]] = defaultdict(list)
    found = []
    for place, entry in enumerate(entries):
        message_id = try_of(entry)[0]
        if place:
            whys = unused[message_id]
            found.append(
                Duplicate(
                    fact=fact_of(entry),
                    message_id=message_id,
                    provider=entry["provider"],
                    accepted_at=entry["accepted_at"],
                    why=whys.pop(0) if whys else "",
                )
            )
        if why := why_lost(entry, lost_answers):
            unused[message_id].append(why)
    return found


def why_lost(entry: Mapping[str, Any], lost_answers: Mapping[Try, str]) -> str:
    """Return why the caller may not have received the answer; empty if it must have."""
    attempt = try_of(entry)
    if entry["answered"] != WHOLE:
        return f"the answer to attempt {attempt[1]} at {entry['provider']} was {entry['answered']}, says its journal"
    return lost_answers.get(attempt, "")


def fact_of(entry: Mapping[str, Any]) -> Fact:
    return kind_of(entry["subject"]), entry["to"]


def try_of(entry: Mapping[str, Any]) -> Try:
    metadata = entry["metadata"]
    return metadata.get("mailroom_message_id", ""), metadata.get("mailroom_attempt", "")
