"""Turn a status into findings: a code, and a sentence that says what to do. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from notifications.breaker.permits import CircuitState
from notifications.operations import advice
from notifications.operations.advice import ProviderCode
from notifications.operations.figures import Brake, Lane, Overdue, ProcessState, SystemStatus
from notifications.rules.states import Stream

# Processes report every 5 seconds.
SILENT_S = 20.0
# How long due email may wait before an operator should act.
LATE_S = {Stream.CRITICAL: 30.0, Stream.DEFAULT: 120.0, Stream.BULK: 6 * 3600.0}
MANY_DEAD = 10
# So many emails without a single report of the provider are no coincidence.
MANY_UNREPORTED = 20
MINUTE_S, HOUR_S = 60, 3600
# The share of the database's connections from which on few are left for more processes.
MOST_CONNECTIONS = 0.8


class Code(StrEnum):
    DATABASE_AWAY = "database-away"
    DATABASE_FULL = "database-full"
    BROKER_AWAY = "broker-away"
    NO_PROVIDER = "no-provider"
    NO_REPORTS = "no-reports"
    NO_RELAY = "no-relay"
    NO_BEAT = "no-beat"
    STREAM_UNSERVED = "stream-unserved"
    PROCESS_SILENT = "process-silent"
    PROCESS_TROUBLE = "process-trouble"
    CONNECTIONS = "connections"
    OVERDUE = "housekeeping-overdue"
    MISFITS = "misfits"
    BUDGET_PAUSED = "budget-paused"
    BUDGET_SPENT = "budget-spent"
    LATE = "late"
    BRAKE = "bounce-brake"
    DYING = "dying"
    # These wait for an operator; email goes on.
    DEAD_LETTERS = "dead-letters"
    UNCERTAIN = "uncertain"
    NO_FLOWER = "no-flower"


@dataclass(frozen=True)
class StatusFinding:
    code: Code | ProviderCode
    sentence: str
    # Which work is missing, where the code alone does not tell what follows.
    of: frozenset[str] = frozenset()

    @property
    def is_problem(self) -> bool:
        return self.code not in NOTICES

    @property
    def explains(self) -> frozenset[Code | ProviderCode]:
        # These findings are consequences of it, and are left out.
        of_processes = (FOLLOWS_FROM.get(kind, OF_WORKERS) for kind in self.of)
        return EXPLAINS.get(self.code, frozenset()).union(*of_processes)

    def __str__(self) -> str:
        return self.sentence


NOTICES = frozenset({Code.DEAD_LETTERS, Code.UNCERTAIN, Code.NO_FLOWER})
# A cause, and what follows from it: one root cause is one line.
OF_WORKERS: frozenset[Code | ProviderCode] = frozenset({Code.STREAM_UNSERVED, Code.LATE})
EXPLAINS: dict[Code | ProviderCode, frozenset[Code | ProviderCode]] = {
    Code.BROKER_AWAY: frozenset({*OF_WORKERS, Code.PROCESS_TROUBLE, Code.NO_FLOWER, Code.OVERDUE}),
    Code.NO_PROVIDER: frozenset({*ProviderCode, Code.LATE, Code.NO_REPORTS}),
    Code.NO_RELAY: frozenset({Code.LATE}),
    Code.NO_BEAT: frozenset({Code.OVERDUE}),
    Code.STREAM_UNSERVED: frozenset({Code.LATE}),
    Code.BUDGET_PAUSED: frozenset({Code.LATE}),
    Code.BUDGET_SPENT: frozenset({Code.LATE}),
    Code.DYING: frozenset({Code.DEAD_LETTERS}),
}
# The same of a process that is silent or in trouble; all others are workers.
FOLLOWS_FROM: dict[str, frozenset[Code | ProviderCode]] = {
    "relay": frozenset({Code.LATE}),
    "beat": frozenset({Code.OVERDUE}),
}


def findings(status: SystemStatus) -> list[StatusFinding]:
    """Return what an operator should know, causes first; none if there is nothing to do."""
    found = [
        *(*_ways(status), *_missing(status), *_processes(status), *_connections(status), *_overdue(status)),
        *(*_misfits(status), *_reports(status), *_lanes(status), *_brake(status.brake), *_ends(status)),
    ]
    explained = {code for finding in found for code in finding.explains}
    left = [finding for finding in found if finding.code not in explained]
    return sorted(left, key=lambda finding: not finding.is_problem)


def is_silent(process: ProcessState) -> bool:
    return process.silent_s > SILENT_S


def replaced(processes: Sequence[ProcessState]) -> set[str]:
    # A killed container's: each silent process is replaced by one newer process of its kind.
    names = set()
    newcomers = sorted((process for process in processes if not is_silent(process)), key=lambda process: -process.age_s)
    for lost in sorted(filter(is_silent, processes), key=lambda process: process.silent_s):
        kind = _kind(lost)
        successor = next((one for one in newcomers if _kind(one) == kind and one.age_s < lost.silent_s), None)
        if successor is not None:
            newcomers.remove(successor)
            names.add(lost.name)
    return names


def duration(seconds: float) -> str:
    # For people: "40 s", "12 min", "3 h".
    if seconds < 2 * MINUTE_S:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE_S:.0f} min" if seconds < 2 * HOUR_S else f"{seconds / HOUR_S:.0f} h"


def _ways(status: SystemStatus) -> Iterator[StatusFinding]:
    if status.broker_is_down:
        sentence = "Redis does not answer: start it. Until then nothing is published; email waits in the database."
        yield StatusFinding(Code.BROKER_AWAY, sentence)
    shut = [circuit for circuit in status.circuits if circuit.state != "closed"]
    if shut and len(shut) == len(status.circuits):
        told = " ".join(_circuit(circuit) for circuit in shut)
        yield StatusFinding(Code.NO_PROVIDER, f"No provider takes email; all of it waits in the database. {told}")
    if not status.circuits:
        yield StatusFinding(
            Code.NO_PROVIDER, "No provider is configured; all email waits in the database. Set EMAIL_PROVIDERS."
        )
    for circuit in shut:
        yield StatusFinding(advice.about(circuit.error_class).code, _circuit(circuit))


def _circuit(circuit: CircuitState) -> str:
    told = advice.about(circuit.error_class)
    why = f" ({circuit.reason})" if circuit.reason else ""
    return f"{circuit.provider} {told.state}{why}. {told.step}"


def _missing(status: SystemStatus) -> Iterator[StatusFinding]:
    # Work that no process does. A process that hangs or died is named elsewhere.
    for name, code in (("relay", Code.NO_RELAY), ("beat", Code.NO_BEAT)):
        if not any(_kind(process) == name for process in status.processes):
            yield StatusFinding(code, f"No {name} is running: start one.")
    if unserved := [lane.stream.value for lane in status.lanes if lane.served is False]:
        sentence = f"No healthy worker serves {_listed(unserved)}: start one, or fix the one that does."
        yield StatusFinding(Code.STREAM_UNSERVED, sentence)
    if status.flower_is_missing:
        yield StatusFinding(
            Code.NO_FLOWER, "Flower is not running: start it to see tasks and workers. Email is not affected."
        )


def _processes(status: SystemStatus) -> Iterator[StatusFinding]:
    # One sentence for all silent processes: they mostly share a machine, and a cause.
    gone = replaced(status.processes)
    lost = [process for process in status.processes if is_silent(process) and process.name not in gone]
    if lost:
        names = ", ".join(f"{process.name} has been silent for {duration(process.silent_s)}" for process in lost)
        sentence = f"{names}: frozen, lost or without the database. Check the logs and start what is missing."
        yield StatusFinding(Code.PROCESS_SILENT, sentence, of=frozenset(map(_kind, lost)))
    for process in status.processes:
        if process.trouble and not is_silent(process):
            sentence = f"{process.name}: {process.trouble}. Start it again if this stays."
            yield StatusFinding(Code.PROCESS_TROUBLE, sentence, of=frozenset({_kind(process)}))


def _overdue(status: SystemStatus) -> Iterator[StatusFinding]:
    # One sentence for all overdue jobs: they run in one process, and mostly have one cause.
    if status.overdue:
        jobs = "; ".join(map(_job, status.overdue))
        yield StatusFinding(Code.OVERDUE, f"Housekeeping is overdue: {jobs}. Check beat and its log.")


def _job(job: Overdue) -> str:
    last = "never done" if job.done_s is None else f"last done {duration(job.done_s)} ago"
    failing = f", failing with {job.error}" if job.error else ""
    return f"{job.name} ({last}, due every {duration(job.every_s)}{failing})"


def _misfits(status: SystemStatus) -> Iterator[StatusFinding]:
    for misfit in status.misfits:
        messages = "1 message waits" if misfit.count == 1 else f"{misfit.count:,} messages wait"
        sentence = (
            f"{messages} for a worker that can send {misfit.kind} ({misfit.cause}): restart workers that run an older"
            " version, or fix the kind or its templates."
        )
        yield StatusFinding(Code.MISFITS, sentence)


def _connections(status: SystemStatus) -> Iterator[StatusFinding]:
    used, allowed = status.connections_used, status.connections_allowed
    if used and used >= MOST_CONNECTIONS * allowed:
        sentence = (
            f"{used} of the database's {allowed} connections are in use: without one, people get an error page."
            " Raise max_connections, lower DATABASE_POOL_SIZE, or put a pooler in front (docs/how-to/deploy.md)."
        )
        yield StatusFinding(Code.CONNECTIONS, sentence)


def _reports(status: SystemStatus) -> Iterator[StatusFinding]:
    for traffic in status.traffic:
        if traffic.reports is False and traffic.unreported >= MANY_UNREPORTED:
            sentence = (
                f"{traffic.provider} has reported nothing about {traffic.unreported:,} emails of the last hour: bounces"
                " and complaints stay unknown. Check its webhook (manage.py provider_check)."
            )
            yield StatusFinding(Code.NO_REPORTS, sentence)


def _lanes(status: SystemStatus) -> Iterator[StatusFinding]:
    held = [lane for lane in status.lanes if lane.pace == 0 and lane.stream is not Stream.BULK]
    if names := _listed([lane.stream.value for lane in held]):
        yield _held(names, max(lane.paused_s for lane in held))
    for lane in status.lanes:
        if lane.due and lane.oldest_s > LATE_S[lane.stream]:
            since = f"{lane.stream.value.capitalize()} email has been due for {duration(lane.oldest_s)}."
            yield StatusFinding(Code.LATE, f"{since} {_late(lane)}")


def _held(names: str, paused_s: float) -> StatusFinding:
    if paused_s:
        sentence = (
            f"The provider has asked for a pause of {names} email; it goes on in {duration(paused_s)}. If this"
            " repeats, lower EMAIL_RATE or ask the provider for a higher limit."
        )
        return StatusFinding(Code.BUDGET_PAUSED, sentence)
    sentence = (
        f"The day's limit is spent: {names} email waits until the limit frees up. Raise EMAIL_DAILY if the provider"
        " allows more."
    )
    return StatusFinding(Code.BUDGET_SPENT, sentence)


def _late(lane: Lane) -> str:
    # Where the operator should look first.
    if lane.pace:
        return f"The budget allows {lane.pace:.3g} a second: raise EMAIL_RATE if the provider allows more."
    if lane.published:
        return "Its tasks wait for workers: start more, or see in Flower what keeps them."
    return "Its tasks are not published, or fail: see the relay's log and Flower."


def _brake(brake: Brake) -> Iterator[StatusFinding]:
    if not brake.on:
        return
    share = f"{brake.bounced} of {brake.sent} emails to unconfirmed addresses bounced within {brake.window_min} min"
    line = f", the last in line in {duration(brake.line_s)}" if brake.line_s else ""
    sentence = (
        f"{share}: sign-up email is slowed to {brake.per_min:g} a minute{line}; resets and all else go on."
        " See who signs up (manage.py bounce_brake), and keep machines out, before the provider stops the account."
    )
    yield StatusFinding(Code.BRAKE, sentence)


def _ends(status: SystemStatus) -> Iterator[StatusFinding]:
    hour, ever = sum(dead.hour for dead in status.dead), sum(dead.ever for dead in status.dead)
    if hour >= MANY_DEAD:
        worst = max(status.dead, key=lambda dead: dead.hour)
        cause = worst.cause or "no cause"
        yield StatusFinding(
            Code.DYING, f"{hour} messages died in the last hour, most of {cause}: fix that, then replay them."
        )
    if ever:
        day = sum(dead.day for dead in status.dead)
        yield StatusFinding(
            Code.DEAD_LETTERS, f"Dead letters: {ever:,}, {day:,} of them of the last day. Replay or keep them."
        )
    if waiting := status.uncertain + status.held:
        decision = f"{status.held:,} need a decision" if status.held else "they settle without you"
        yield StatusFinding(Code.UNCERTAIN, f"Uncertain messages: {waiting:,}; {decision}.")


def _kind(process: ProcessState) -> str:
    return process.name.partition("@")[0]


def _listed(names: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
