"""Check the acknowledged sign-ups against the inbox. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from devtools.chaos.workload import Operation, Result


@dataclass(frozen=True, kw_only=True)
class InboxVerdict:
    """`waits_s`: sorted times from a sign-up to the arrival of its first email."""

    accepted: int
    lost: list[str]
    doubled: int
    unexplained: list[str]
    waits_s: list[float]


def judge(
    operations: Iterable[Operation], inbox: Sequence[Mapping[str, object]], resent: Mapping[str, int]
) -> InboxVerdict:
    """Compare the operations with the inbox.

    `resent`: by address, how often messages were resent because of a lost answer. Each time explains one copy.
    """
    copies = Counter(str(entry["to"]) for entry in inbox)
    arrived = {str(entry["to"]): float(str(entry["at"])) for entry in reversed(inbox)}
    accepted = [one for one in operations if one.result is Result.ACKNOWLEDGED]
    return InboxVerdict(
        accepted=len(accepted),
        lost=[one.address for one in accepted if one.address not in copies],
        doubled=sum(count - 1 for count in copies.values()),
        unexplained=[address for address, count in copies.items() if count - 1 > resent.get(address, 0)],
        waits_s=sorted(arrived[one.address] - (one.at - one.took_s) for one in accepted if one.address in arrived),
    )


def longest_gap_s(operations: Iterable[Operation], since: float, until: float) -> float:
    """Return the longest time without an acknowledged sign-up."""
    answered = sorted(one.at for one in operations if one.result is Result.ACKNOWLEDGED)
    marks = [since, *(at for at in answered if since < at < until), until]
    return max(later - earlier for earlier, later in pairwise(marks))
