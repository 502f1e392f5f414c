"""What is wrong with the whole, each in one sentence that says what to do. Pure: a status in, sentences out."""

from collections.abc import Iterator

from notifications.operations.status import Process, Status
from notifications.states import Stream

# Processes speak every 5 seconds.
SILENT_S = 20.0
# How long due mail may wait before somebody should look.
LATE_S = {Stream.CRITICAL: 30.0, Stream.DEFAULT: 120.0, Stream.BULK: 6 * 3600.0}
MANY_DEAD = 10


def problems(status: Status) -> list[str]:
    """Return the problems, the one that explains most first; none if all is well."""
    return [*_ways(status), *_processes(status), *_lanes(status), *_ends(status)]


def _ways(status: Status) -> Iterator[str]:
    if status.broker_is_away:
        yield "Redis does not answer: nothing is published, and mail waits in the database until it is back."
    shut = [circuit for circuit in status.circuits if circuit.state != "closed"]
    for circuit in shut:
        yield f"{circuit.provider} takes no mail ({circuit.reason}). It is tried again by itself."
    if shut and len(shut) == len(status.circuits):
        yield "No provider takes mail: everything waits, and nothing is lost by it."


def _processes(status: Status) -> Iterator[str]:
    alive = [process for process in status.processes if process.silent_s <= SILENT_S]
    for name in ("relay", "beat"):
        if not any(_is(process, name) for process in alive):
            yield f"No {name} is running: start one."
    if all(_is(process, "relay") or _is(process, "beat") for process in alive):
        yield "No worker is running: start one."
    for process in status.processes:
        if process not in alive:
            silent = f"{process.name} has been silent for {process.silent_s:.0f} s"
            yield f"{silent}: it is frozen or lost, or has no database."
        elif process.trouble:
            yield f"{process.name}: {process.trouble}. Restart it if this stays."


def _lanes(status: Status) -> Iterator[str]:
    for lane in status.lanes:
        if lane.due and lane.oldest_s > LATE_S[lane.stream]:
            yield f"{lane.stream.value.capitalize()} mail has been due for {lane.oldest_s:.0f} s and has not gone out."


def _ends(status: Status) -> Iterator[str]:
    for dead in status.dead:
        if dead.within_the_hour >= MANY_DEAD:
            yield (
                f"{dead.within_the_hour} messages died within the hour of {dead.fingerprint}:"
                " mend the cause, then replay them."
            )


def _is(process: Process, name: str) -> bool:
    return process.name.partition("@")[0] == name
