"""Bulk messages that are written with SQL, and how fast a run sends them."""

import time
from dataclasses import dataclass

from devtools.benchmarks.throughput.contestant import Run, python_module
from devtools.benchmarks.throughput.line_process import LineProcess
from devtools.benchmarks.throughput.mailroom import Mailroom
from devtools.benchmarks.throughput.measure import wait_accepted
from devtools.benchmarks.throughput.usage import cpu_of
from devtools.stack.console import say

GROWN_WITHIN_S = 3600.0
# This share of a backlog counts: at its end, fewer and fewer threads have something to send.
MEASURED = 0.8

CHUNK = Mailroom(name="mailroom chunk", way="chunk")
BATCH = Mailroom(name="mailroom batch", way="batch")


def queue(bulk: Mailroom, run: Run, count: int, key: str) -> None:
    """Queue `count` messages, which stay in the table until the run opens."""
    bulk.close(run)
    grow(bulk, run, "queued", str(count), key)
    run.provider.restart(run.delay_ms)


def add_history(bulk: Mailroom, run: Run, count: int, users: int) -> None:
    """Add finished messages of the users of a backlog, with attempts."""
    bulk.close(run)
    grow(bulk, run, "history", str(count), str(users))


def grow(bulk: Mailroom, run: Run, *arguments: str) -> None:
    began = time.monotonic()
    command = [*python_module("grow"), *arguments]
    with LineProcess(command, bulk.environment(run), run.folder / "grow.log") as process:
        process.expect("done", GROWN_WITHIN_S)
    run.servers.checkpoint()
    say(f"grow {' '.join(arguments)}: {time.monotonic() - began:.0f} s")


@dataclass(frozen=True, kw_only=True)
class Sending:
    """How fast a backlog was sent, and the CPU ms of an email by process."""

    per_s: float
    cpu_ms: dict[str, float]

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {ms:.2f}" for name, ms in self.cpu_ms.items())
        return f"{self.per_s:.0f} emails/s (CPU ms: {parts})"


def sent(bulk: Mailroom, run: Run, count: int) -> Sending:
    """Open the run, and measure from the first to the last of `count` emails."""
    before = cpu_of(run.roots)
    bulk.open(run)
    accepted = wait_accepted(run.provider, count)
    after = cpu_of(run.roots)
    moments: list[float] = sorted(run.provider.results()["accepted"].values())
    first, last = moments[0], moments[count - 1]
    return Sending(
        per_s=sum(first < moment <= last for moment in moments) / (last - first),
        cpu_ms={name: (after[name] - before[name]) * 1000 / accepted for name in after},
    )
