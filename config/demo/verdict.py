"""What the provider's journal says of what people were told. Pure."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

# What a mail is, by the beginning of its subject: the journal is read as a stranger would read it, without our rows.
SUBJECTS = {"Welcome": "welcome", "Choose a new password": "password-reset"}
OTHER = "product-news"

Fact = tuple[str, str]


@dataclass(frozen=True)
class Verdict:
    """`copies`: how many facts have so many accepted mails. A fact is (kind, address)."""

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


def kind_of(subject: str) -> str:
    return next((kind for start, kind in SUBJECTS.items() if subject.startswith(start)), OTHER)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (0 to 1) of the values do not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else 0.0
