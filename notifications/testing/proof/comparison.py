"""Compare what a project's code was acknowledged with what the journal has. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from notifications.testing.proof.journal import JournalEntry

#: The longest list of a failure.
MOST_NAMED = 10


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The addresses of lost and duplicated emails. `sent` counts copies, `held` what an operator must decide."""

    accepted: int
    sent: int
    held: list[str]
    lost: list[str]
    duplicated: list[str]
    unexplained: list[str]


@dataclass(frozen=True, kw_only=True)
class Proof:
    """The result of `prove`; as text, its summary line."""

    comparison: Comparison
    uncertain_settled: int
    rejected: int
    took_s: float

    def __str__(self) -> str:
        found = self.comparison
        return (
            f"prove: accepted={found.accepted} sent={found.sent} held={len(found.held)} lost={len(found.lost)}"
            f" duplicated={len(found.duplicated)} unexplained_duplicates={len(found.unexplained)}"
            f" uncertain_settled={self.uncertain_settled} rejected={self.rejected} took_s={self.took_s:.1f}"
        )


class BrokenPromiseError(AssertionError):
    """An email was lost or doubled, or nothing was proved. The text names the addresses."""


def compare(
    promised: Collection[str], entries: Sequence[JournalEntry], maybe_unanswered: Collection[str], held: Collection[str]
) -> Comparison:
    """Compare the addresses that were acknowledged with the journal, oldest entry first.

    A copy is explained by an earlier copy of the same message, for which a killed worker may not have recorded the
    answer (`maybe_unanswered` has its id). `held`: addresses of messages that wait for an operator's decision. Other
    addresses, such as that of an administrator, may get many messages of the kind, but each once.
    """
    wanted = set(promised)
    copies: dict[tuple[str, str], list[JournalEntry]] = defaultdict(list)
    for entry in entries:
        copies[entry.address, "" if entry.address in wanted else entry.message_id].append(entry)
    missing = sorted(wanted - {address for address, _ in copies})
    grouped = [(address, found) for (address, _), found in copies.items()]
    return Comparison(
        accepted=len(wanted),
        sent=sum(len(found) for address, found in grouped if address in wanted),
        held=[address for address in missing if address in held],
        lost=[address for address in missing if address not in held],
        duplicated=[address for address, found in grouped for _ in found[1:]],
        unexplained=[
            address for address, found in grouped for _ in range(len(found) - 1 - _explained(found, maybe_unanswered))
        ],
    )


def complaints(proof: Proof, reasons: Mapping[str, str]) -> Iterator[str]:
    """Yield each failure. `reasons`: by address, what the row of a lost message says."""
    found = proof.comparison
    if not found.accepted:
        yield "your code acknowledged no request, so nothing was proved"
    lost = [f"{address} ({reasons.get(address) or 'no message was enqueued'})" for address in found.lost]
    yield from _itemized("lost", lost)
    yield from _itemized("duplicated without an explanation", found.unexplained)


def _explained(copies: Sequence[JournalEntry], maybe_unanswered: Collection[str]) -> int:
    # Each message was in hand of a killed worker at most one time.
    count = 0
    for message_id in {copy.message_id for copy in copies} & set(maybe_unanswered):
        count += sum(copy.message_id == message_id for copy in copies) > 1
    return count


def _itemized(what: str, addresses: Sequence[str]) -> Iterator[str]:
    if addresses:
        more = f" and {len(addresses) - MOST_NAMED} more" if len(addresses) > MOST_NAMED else ""
        yield f"{len(addresses)} {what}: {', '.join(addresses[:MOST_NAMED])}{more}"
