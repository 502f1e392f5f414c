"""Bulk messages that are written with SQL, and the rate at which a run sends them."""

from devtools.benchmarks.throughput.contestant import Run, python_module
from devtools.benchmarks.throughput.line_process import LineProcess
from devtools.benchmarks.throughput.mailroom import Mailroom
from devtools.benchmarks.throughput.measure import wait_accepted

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
    command = [*python_module("grow"), *arguments]
    with LineProcess(command, bulk.environment(run), run.folder / "grow.log") as process:
        process.expect("done", GROWN_WITHIN_S)
    run.servers.checkpoint()


def rate(bulk: Mailroom, run: Run, count: int) -> float:
    """Open the run; return emails per second from the first to the last of `count`."""
    bulk.open(run)
    wait_accepted(run.provider, count)
    moments = sorted(run.provider.results()["accepted"].values())
    first, last = moments[0], moments[count - 1]
    return sum(first < moment <= last for moment in moments) / (last - first)
