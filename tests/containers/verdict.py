"""What the inbox says of what people were told. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise


class Word(StrEnum):
    DONE = "done"
    REFUSED = "refused"  # come again later
    UNKNOWN = "unknown"  # no answer: nothing was promised, and email may arrive
    UNCLEAN = "unclean"  # any other answer; no fault may cause one


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one person was told, when (seconds since 1970), and how long it took."""

    address: str
    word: Word
    status: int
    at: float
    took_s: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`waits_s`: from a sign-up to the arrival of its first email, sorted."""

    accepted: int
    lost: list[str]
    doubled: int
    unexplained: list[str]
    waits_s: list[float]


def judge(told: Iterable[Told], inbox: Sequence[Mapping[str, object]], resent: Mapping[str, int]) -> Verdict:
    """Compare what people were told with the inbox.

    `resent`: how often a message to an address was sent again because its first answer was lost. Each explains a copy.
    """
    copies = Counter(str(entry["to"]) for entry in inbox)
    arrived = {str(entry["to"]): float(str(entry["at"])) for entry in reversed(inbox)}
    accepted = [one for one in told if one.word is Word.DONE]
    return Verdict(
        accepted=len(accepted),
        lost=[one.address for one in accepted if one.address not in copies],
        doubled=sum(count - 1 for count in copies.values()),
        unexplained=[address for address, count in copies.items() if count - 1 > resent.get(address, 0)],
        waits_s=sorted(arrived[one.address] - one.at for one in accepted if one.address in arrived),
    )


def longest_gap_s(told: Iterable[Told], since: float, until: float) -> float:
    """Return for how long, within a span, no sign-up was answered well."""
    answered = sorted(one.at + one.took_s for one in told if one.word is Word.DONE)
    marks = [since, *(at for at in answered if since < at < until), until]
    return max(later - earlier for earlier, later in pairwise(marks))
