"""What is wrong with the whole, each in one sentence that says what to do. Pure: a status in, sentences out."""

from collections.abc import Iterator, Sequence

from notifications.operations.status import Brake, Lane, Overdue, Process, Status
from notifications.states import Stream

# Processes speak every 5 seconds.
SILENT_S = 20.0
# How long due mail may wait before somebody should look.
LATE_S = {Stream.CRITICAL: 30.0, Stream.DEFAULT: 120.0, Stream.BULK: 6 * 3600.0}
MANY_DEAD = 10
MINUTE_S, HOUR_S = 60, 3600
# The share of the database's connections from which on few are left for more processes.
MOST_CONNECTIONS = 0.8


def problems(status: Status) -> list[str]:
    """Return the problems, the one that explains most first; none if all is well."""
    lanes, brake = _lanes(status), _brake(status.brake)
    housekeeping, misfits = _overdue(status), _misfits(status)
    machinery = [*_ways(status), *_missing(status), *_processes(status), *_connections(status), *housekeeping]
    return [*machinery, *misfits, *lanes, *brake, *_ends(status)]


def is_silent(process: Process) -> bool:
    return process.silent_s > SILENT_S


def replaced(processes: Sequence[Process]) -> set[str]:
    """Return the silent processes that a newer one of their kind replaces, one for one: a killed container's."""
    names = set()
    newcomers = sorted((process for process in processes if not is_silent(process)), key=lambda process: -process.age_s)
    for lost in sorted(filter(is_silent, processes), key=lambda process: process.silent_s):
        kind = lost.name.partition("@")[0]
        successor = next((one for one in newcomers if _is(one, kind) and one.age_s < lost.silent_s), None)
        if successor is not None:
            newcomers.remove(successor)
            names.add(lost.name)
    return names


def spoken(seconds: float) -> str:
    """Return a duration as people say it: "40 s", "12 min", "3 h"."""
    if seconds < 2 * MINUTE_S:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE_S:.0f} min" if seconds < 2 * HOUR_S else f"{seconds / HOUR_S:.0f} h"


def _ways(status: Status) -> Iterator[str]:
    if status.broker_is_away:
        yield "Redis does not answer: start it. Until then nothing is published; mail waits in the database."
    shut = [circuit for circuit in status.circuits if circuit.state != "closed"]
    for circuit in shut:
        why = f" ({circuit.reason})" if circuit.reason else ""
        yield f"{circuit.provider} takes no mail{why}. It is tried again by itself."
    if shut and len(shut) == len(status.circuits):
        yield "No provider takes mail: everything waits, and nothing is lost by it."


def _missing(status: Status) -> Iterator[str]:
    """What nobody does. A process that is frozen or lost is named, with what to do about it, further on."""
    for name in ("relay", "beat"):
        if not any(_is(process, name) for process in status.processes):
            yield f"No {name} is running: start one."
    if unserved := [lane.stream.value for lane in status.lanes if lane.served is False]:
        yield f"No healthy worker serves {_listed(unserved)}: start one, or mend the one that does."


def _processes(status: Status) -> Iterator[str]:
    gone = replaced(status.processes)
    for process in status.processes:
        if process.name in gone:
            continue
        if is_silent(process):
            silent = f"{process.name} has been silent for {spoken(process.silent_s)}"
            yield f"{silent}: it is frozen, lost or without the database. Look at it, and start it again."
        elif process.trouble:
            yield f"{process.name}: {process.trouble}. Start it again if this stays."


def _overdue(status: Status) -> Iterator[str]:
    """Return one sentence for all: they run in one process, and mostly have one cause."""
    has_beat = any(_is(process, "beat") for process in status.processes)
    # Before the first beat nothing was ever done: that there is none says it all.
    if jobs := [job for job in status.overdue if has_beat or job.done_s is not None]:
        yield f"Housekeeping is overdue: {'; '.join(map(_job, jobs))}. Check beat and its log."


def _job(job: Overdue) -> str:
    last = "never done" if job.done_s is None else f"last done {spoken(job.done_s)} ago"
    failing = f", failing with {job.error}" if job.error else ""
    return f"{job.name} ({last}, due every {spoken(job.every_s)}{failing})"


def _misfits(status: Status) -> Iterator[str]:
    for misfit in status.misfits:
        messages = "1 message waits" if misfit.count == 1 else f"{misfit.count:,} messages wait"
        yield (
            f"{messages} for a worker that can send {misfit.kind} ({misfit.cause}): restart workers that run an older"
            " version, or fix the kind or its templates."
        )


def _connections(status: Status) -> Iterator[str]:
    used, allowed = status.connections_used, status.connections_allowed
    if used and used >= MOST_CONNECTIONS * allowed:
        yield (
            f"{used} of the database's {allowed} connections are in use: without one, people get an error page."
            " Raise max_connections, lower DATABASE_POOL_SIZE, or put a pooler in front (docs/containers.md)."
        )


def _lanes(status: Status) -> Iterator[str]:
    for lane in status.lanes:
        if lane.pace == 0 and lane.stream is not Stream.BULK:
            why = "the provider has asked for a pause, or the day's limit is spent"
            yield f"The budget lets no {lane.stream.value} mail go: {why}."
        if lane.due and lane.oldest_s > LATE_S[lane.stream]:
            yield f"{lane.stream.value.capitalize()} mail has been due for {spoken(lane.oldest_s)}. {_late(lane)}"


def _late(lane: Lane) -> str:
    """Where to look first."""
    if lane.pace:
        return f"The budget lets {lane.pace:.3g} a second go: raise EMAIL_RATE if the provider allows more."
    if lane.published:
        return "Its tasks wait for workers: start more, or see in Flower what keeps them."
    return "Its tasks are not published, or fail: see the relay's log and Flower."


def _brake(brake: Brake) -> Iterator[str]:
    if not brake.on:
        return
    share = f"{brake.bounced} of {brake.sent} mails to unconfirmed addresses bounced within {brake.window_min} min"
    line = f", the last in line in {spoken(brake.line_s)}" if brake.line_s else ""
    yield (
        f"{share}: sign-up mail is slowed to {brake.per_min:g} a minute{line}; resets and all else go on."
        " See who signs up (manage.py bounce_brake), and keep machines out, before the provider stops the account."
    )


def _ends(status: Status) -> Iterator[str]:
    hour = sum(dead.hour for dead in status.dead)
    if hour < MANY_DEAD:
        return
    worst = max(status.dead, key=lambda dead: dead.hour)
    yield f"{hour} messages died in the last hour, most of {worst.cause or 'no cause'}: mend that, then replay them."


def _is(process: Process, name: str) -> bool:
    return process.name.partition("@")[0] == name


def _listed(names: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
