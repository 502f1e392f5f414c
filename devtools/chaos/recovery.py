"""Measure how long the effects of each fault lasted. Pure."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devtools.chaos.checker import COMPLETE, Try, fact_of, try_of
from devtools.chaos.conditions import PROVIDERS
from devtools.chaos.faults import Fault
from devtools.chaos.workload import Operation, Result
from devtools.stack.facts import Fact, epoch, percentile

# The simulator's value for a call that it refused.
REFUSED = "refused"
# Requests shortly after a fault count too if their email waits longer than usual: a restart is so short that no request
# may fall into it.
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
    """The effects of a fault. `affected`: calls without a normal answer, and messages of killed or frozen processes.

    `rejected`: requests answered with 503. `recovery_s`: from the fault's end until a provider had accepted all emails
    requested before it, and the late ones shortly after it, without the uncertain ones; infinite if one was lost.
    """

    injected: InjectedFault
    affected: int
    rejected: int
    recovery_s: float
    sign_up_p99_ms: float


def uncertain(calls: Sequence[Mapping[str, Any]], lost_answers: Collection[Try]) -> set[Fact]:
    """Return the facts with a call whose answer may be lost, until settled."""
    return {
        fact_of(call) for call in calls if call["ended"] not in {"", COMPLETE, REFUSED} or try_of(call) in lost_answers
    }


def impact_of(
    injected: InjectedFault,
    operations: Sequence[Operation],
    promises: Sequence[Operation],
    accepted_at: Mapping[Fact, float],
    calls: Sequence[Mapping[str, Any]],
    lost_answers: Collection[Try],
) -> Impact:
    # `promises`: the operations that an email must follow. `accepted_at`: of the first copy of each fact.
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
    # Whether the fault can be the reason why this email waited.
    if operation.at <= injected.ended_at:
        return True
    return (
        operation.at <= injected.ended_at + AFTERMATH_S
        and accepted_at.get(operation.fact, math.inf) - operation.at > USUAL_S
    )


def affected(injected: InjectedFault, calls: Sequence[Mapping[str, Any]], lost_answers: Collection[Try]) -> set[Try]:
    return {
        try_of(call)
        for call in calls
        if epoch(call["started_at"]) <= injected.ended_at
        and (not call["ended"] or epoch(call["ended_at"]) >= injected.began_at)
        and (call["ended"] != COMPLETE or try_of(call) in lost_answers)
        and call["provider"] in (_at_one(injected.fault) or {call["provider"]})
    }


def _at_one(fault: Fault) -> set[str]:
    # The provider that a fault is about: the other may be down only so that this one is used.
    return {provider for provider in PROVIDERS if fault.name.startswith(provider)}
