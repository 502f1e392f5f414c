"""Compare the acknowledged requests with the providers' journals. Pure; does not trust the database's rows."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devtools.chaos.workload import Operation, Result
from devtools.stack.facts import Fact, kind_of

# The journal's value for an answer that its caller received completely.
COMPLETE = "complete"

# (message id, attempt), both from the email's metadata.
Try = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """A copy after the first. `why` is empty if nothing explains it."""

    fact: Fact
    message_id: str
    provider: str
    accepted_at: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`accepted`: acknowledged facts. `sent`: emails about them, with copies. `strays`: facts of other emails."""

    accepted: int
    sent: int
    lost: list[Fact]
    duplicates: list[Duplicate]
    strays: list[Fact]

    @property
    def unexplained(self) -> list[Duplicate]:
        return [duplicate for duplicate in self.duplicates if not duplicate.why]


def promised(operations: Iterable[Operation]) -> list[Operation]:
    """Return the acknowledged operations that an email must follow.

    Using a reset link confirms the address, so that the welcome email is no longer relevant.
    """
    done = [one for one in operations if one.result is Result.ACKNOWLEDGED]
    confirmed = {one.address for one in done if one.kind == "password-changed"}
    return [one for one in done if not (one.kind == "welcome" and one.address in confirmed)]


def judge(
    acknowledged: Collection[Fact], journal: Sequence[Mapping[str, Any]], lost_answers: Mapping[Try, str]
) -> Verdict:
    """Compare the acknowledged facts with the journal of all providers, oldest first.

    `lost_answers` comes from the killer's log. A copy is explained by an earlier copy of the same message whose answer
    was lost according to the journal or the killer's log; each earlier copy explains one.
    """
    copies: dict[Fact, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in journal:
        copies[fact_of(entry)].append(entry)
    return Verdict(
        accepted=len(set(acknowledged)),
        sent=sum(len(copies[fact]) for fact in set(acknowledged) if fact in copies),
        lost=sorted(fact for fact in set(acknowledged) if fact not in copies),
        # Strays too: no email may arrive twice, even without an acknowledged request.
        duplicates=[duplicate for entries in copies.values() for duplicate in duplicates(entries, lost_answers)],
        strays=sorted(copies.keys() - set(acknowledged)),
    )


def duplicates(entries: Sequence[Mapping[str, Any]], lost_answers: Mapping[Try, str]) -> list[Duplicate]:
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
    """Return why the caller may not have received the answer, or "" if it has."""
    attempt = try_of(entry)
    if entry["answered"] != COMPLETE:
        return f"the answer of {entry['provider']} to attempt {attempt[1]} was {entry['answered']} (journal)"
    return lost_answers.get(attempt, "")


def fact_of(entry: Mapping[str, Any]) -> Fact:
    return kind_of(entry["subject"]), entry["to"]


def try_of(entry: Mapping[str, Any]) -> Try:
    metadata = entry["metadata"]
    return metadata.get("mailroom_message_id", ""), metadata.get("mailroom_attempt", "")
