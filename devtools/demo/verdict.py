"""What the provider's journal says of what people were told. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from devtools.stack.facts import Fact, kind_of


@dataclass(frozen=True)
class Verdict:
    """`copies`: how many facts have so many accepted mails."""

    told: int
    sent: int
    lost: int
    duplicated: int
    copies: Mapping[int, int]


def judge(told: Collection[Fact], journal: Sequence[Mapping[str, str]]) -> Verdict:
    """Compare facts with the journal's entries (`to`, `subject`); mail about other facts is left out."""
    taken = Counter((kind_of(entry["subject"]), entry["to"]) for entry in journal)
    copies = {fact: taken[fact] for fact in told}
    return Verdict(
        told=len(copies),
        sent=sum(copies.values()),
        lost=sum(count == 0 for count in copies.values()),
        duplicated=sum(max(count - 1, 0) for count in copies.values()),
        copies=dict(sorted(Counter(copies.values()).items())),
    )
