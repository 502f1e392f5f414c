"""End orphans: processes of a stack whose supervisor crashed."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

# In the environment of every process of a stack; another process may have the same process id by now.
MARK = "MAILROOM_STACK"
APPLICATION_MARK = "MAILROOM_ROLE"
PATIENCE_S = 60.0


def end_orphans(folder: Path) -> int:
    """End the processes of the stack in `folder` and return their number.

    The servers end last, because workers still have to record what they sent.
    """
    found = list(_of_stack(folder))
    _end([process for process, environment in found if APPLICATION_MARK in environment])
    _end([process for process, environment in found if APPLICATION_MARK not in environment])
    return len(found)


def _of_stack(folder: Path) -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except psutil.Error:
            continue
        if environment.get(MARK) == str(folder) and process.pid != os.getpid():
            yield process, environment


def _end(processes: list[psutil.Process]) -> None:
    ids = {process.pid for process in processes}
    for process in processes:
        # A parent ends its children itself. PostgreSQL treats the end of a child as a crash.
        if _parent(process) not in ids:
            _ask(process, kill=False)
    for process in psutil.wait_procs(processes, timeout=PATIENCE_S)[1]:
        _ask(process, kill=True)


def _parent(process: psutil.Process) -> int:
    try:
        return int(process.ppid())
    except psutil.Error:
        return 0


def _ask(process: psutil.Process, *, kill: bool) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill() if kill else process.terminate()
