"""How long each harm was felt after its end. Pure."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devtools.chaos.checker import WHOLE, Try, fact_of, try_of
from devtools.chaos.conditions import PROVIDERS
from devtools.chaos.faults import Fault
from devtools.chaos.workload import Said, Word
from devtools.stack.facts import Fact, epoch, percentile

REFUSED = "refused"
# What is promised so shortly after a harm's end is looked at too, and is late if it waits longer than usual: a restart
# is over before anybody could have come.
AFTERMATH_S = 2.0
USUAL_S = 3.0


@dataclass(frozen=True, kw_only=True)
class Deed:
    """A harm as it was done; times in seconds since 1970."""

    fault: Fault
    began_at: float
    ended_at: float


@dataclass(frozen=True, kw_only=True)
class Felt:
    """What a harm did. `hit`: calls that were refused or not answered, and messages in killed or frozen hands.

    `refused`: people who were told to come again later. `recovery_s`: from its end until all that was promised before
    it, and what of the aftermath is late, was taken, except what it made uncertain; infinite if something never was.
    """

    deed: Deed
    hit: int
    refused: int
    recovery_s: float
    sign_up_p99_ms: float


def uncertain(calls: Sequence[Mapping[str, Any]], named: Collection[Try]) -> set[Fact]:
    """Return the facts with a call whose answer was lost or may have been: they wait to be settled."""
    return {fact_of(call) for call in calls if call["ended"] not in {"", WHOLE, REFUSED} or try_of(call) in named}


def felt(
    deed: Deed,
    said: Sequence[Said],
    kept: Sequence[Said],
    taken_at: Mapping[Fact, float],
    calls: Sequence[Mapping[str, Any]],
    named: Collection[Try],
) -> Felt:
    """`kept`: the promises that an email must keep. `taken_at`: when the first copy of each fact was taken."""
    waits = uncertain(calls, named)
    last = max(
        (taken_at.get(one.fact, math.inf) for one in kept if one.fact not in waits and concerned(deed, one, taken_at)),
        default=0.0,
    )
    during = [one for one in said if deed.began_at <= one.at <= max(deed.ended_at, deed.began_at + 1)]
    return Felt(
        deed=deed,
        hit=len(hit(deed, calls, named)),
        refused=sum(one.word is Word.REFUSED for one in during),
        recovery_s=max(0.0, last - deed.ended_at),
        sign_up_p99_ms=percentile([one.took_s * 1000 for one in during if one.word is Word.DONE], 0.99),
    )


def concerned(deed: Deed, said: Said, taken_at: Mapping[Fact, float]) -> bool:
    """True if a harm can be why this mail had to wait."""
    if said.at <= deed.ended_at:
        return True
    return said.at <= deed.ended_at + AFTERMATH_S and taken_at.get(said.fact, math.inf) - said.at > USUAL_S


def hit(deed: Deed, calls: Sequence[Mapping[str, Any]], named: Collection[Try]) -> set[Try]:
    """Return the tries that the harm got at."""
    return {
        try_of(call)
        for call in calls
        if epoch(call["started_at"]) <= deed.ended_at
        and (not call["ended"] or epoch(call["ended_at"]) >= deed.began_at)
        and (call["ended"] != WHOLE or try_of(call) in named)
        and call["provider"] in (_at_one(deed.fault) or {call["provider"]})
    }


def _at_one(fault: Fault) -> set[str]:
    """Return the provider that a fault is about, if it is about one: the other may be out only to bring it work."""
    return {provider for provider in PROVIDERS if fault.name.startswith(provider)}
