"""Measure how long the effects of each fault lasted. Pure."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devtools.chaos.checker import WHOLE, Try, fact_of, try_of
from devtools.chaos.conditions import PROVIDERS
from devtools.chaos.faults import Fault
from devtools.chaos.workload import Operation, Result
from devtools.stack.facts import Fact, epoch, percentile

# How the simulator ends a call that it refused.
REFUSED = "refused"
# Requests shortly after a fault's end count too, if their email waits longer than usual: a restart is over before
# anyone could have come.
AFTERMATH_S = 2.0
USUAL_S = 3.0


@dataclass(frozen=True, kw_only=True)
class InjectedFault:
    """A fault with the times of its injection, in seconds since 1970."""

    fault: Fault
    began_at: float
    ended_at: float


@dataclass(frozen=True, kw_only=True)
class Impact:
    """What a fault did. `affected`: calls without a proper answer, and messages that killed or frozen processes held.

    `rejected`: requests answered with 503. `recovery_s`: from the fault's end until a provider had accepted everything
    acknowledged before it, and what is late shortly after it, except what it made uncertain; infinite if one never was.
    """

    injected: InjectedFault
    affected: int
    rejected: int
    recovery_s: float
    sign_up_p99_ms: float


def uncertain(calls: Sequence[Mapping[str, Any]], lost_answers: Collection[Try]) -> set[Fact]:
    """Return the facts with a call whose answer was lost or may have been: they wait to be settled."""
    return {
        fact_of(call) for call in calls if call["ended"] not in {"", WHOLE, REFUSED} or try_of(call) in lost_answers
    }


def impact_of(
    injected: InjectedFault,
    operations: Sequence[Operation],
    promises: Sequence[Operation],
    accepted_at: Mapping[Fact, float],
    calls: Sequence[Mapping[str, Any]],
    lost_answers: Collection[Try],
) -> Impact:
    """`promises`: what an email must follow. `accepted_at`: when the first copy of each fact was accepted."""
    waits = uncertain(calls, lost_answers)
    last = max(
        (
            accepted_at.get(one.fact, math.inf)
            for one in promises
            if one.fact not in waits and concerned(injected, one, accepted_at)
        ),
        default=0.0,
    )
    during = [one for one in operations if injected.began_at <= one.at <= max(injected.ended_at, injected.began_at + 1)]
    return Impact(
        injected=injected,
        affected=len(affected(injected, calls, lost_answers)),
        rejected=sum(one.result is Result.REJECTED for one in during),
        recovery_s=max(0.0, last - injected.ended_at),
        sign_up_p99_ms=percentile([one.took_s * 1000 for one in during if one.result is Result.ACKNOWLEDGED], 0.99),
    )


def concerned(injected: InjectedFault, operation: Operation, accepted_at: Mapping[Fact, float]) -> bool:
    """Return whether the fault can be why this email had to wait."""
    if operation.at <= injected.ended_at:
        return True
    return (
        operation.at <= injected.ended_at + AFTERMATH_S
        and accepted_at.get(operation.fact, math.inf) - operation.at > USUAL_S
    )


def affected(injected: InjectedFault, calls: Sequence[Mapping[str, Any]], lost_answers: Collection[Try]) -> set[Try]:
    """Return the tries that the fault disturbed."""
    return {
        try_of(call)
        for call in calls
        if epoch(call["started_at"]) <= injected.ended_at
        and (not call["ended"] or epoch(call["ended_at"]) >= injected.began_at)
        and (call["ended"] != WHOLE or try_of(call) in lost_answers)
        and call["provider"] in (_at_one(injected.fault) or {call["provider"]})
    }


def _at_one(fault: Fault) -> set[str]:
    """Return the provider that a fault is about, if it is about one: the other may be down only to bring it work."""
    return {provider for provider in PROVIDERS if fault.name.startswith(provider)}
