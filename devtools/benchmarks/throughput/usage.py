"""CPU time and memory of process trees."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

EVERY_S = 1.0
MIB = 1024 * 1024
# Below this share of a core the processes have nothing left to do.
QUIET_SHARE = 0.15
QUIET_STEP_S = 0.5
QUIET_WITHIN_S = 10.0


def tree(pid: int) -> Iterator[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        yield parent
        yield from parent.children(recursive=True)


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process and its descendants, including those that have ended."""
    total = 0.0
    for process in tree(pid):
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def memory_mib(pid: int) -> float:
    """Return the memory of a process tree. Shared pages are divided among processes."""
    total = 0
    for process in tree(pid):
        with suppress(psutil.Error):
            memory = process.memory_full_info()
            total += getattr(memory, "pss", memory.rss)
    return total / MIB


def resident_mib(pid: int) -> float:
    """Return the memory of a process tree. Shared pages count for each process."""
    total = 0
    for process in tree(pid):
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total / MIB


def cpu_of(roots: Mapping[str, list[int]]) -> dict[str, float]:
    return {name: sum(cpu_s(pid) for pid in pids) for name, pids in roots.items()}


def wait_quiet(roots: Mapping[str, list[int]]) -> None:
    """Wait until the processes are idle after the last acceptance, 10 s at most."""
    give_up_at = time.monotonic() + QUIET_WITHIN_S
    before = sum(cpu_of(roots).values())
    while time.monotonic() < give_up_at:
        time.sleep(QUIET_STEP_S)
        now = sum(cpu_of(roots).values())
        if now - before < QUIET_SHARE * QUIET_STEP_S:
            return
        before = now


@dataclass
class MemoryWatch:
    """Samples memory in a thread while it is entered; `peak_mib` is the largest sum."""

    roots: Callable[[], Mapping[str, list[int]]]
    peak_mib: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "MemoryWatch":
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while True:
            found = sum(memory_mib(pid) for pids in self.roots().values() for pid in pids)
            self.peak_mib = max(self.peak_mib, found)
            if self._stop.wait(EVERY_S):
                return
