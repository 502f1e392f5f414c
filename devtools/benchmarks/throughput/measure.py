"""One run: single messages at a pace, then a backlog that was enqueued while the workers waited."""

import json
import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from devtools.benchmarks.throughput.contestant import Contestant, Run, Workload
from devtools.benchmarks.throughput.figures import LONGEST_S, Figures, complaints, count_for, waits_ms
from devtools.benchmarks.throughput.line_process import ProcessFailedError
from devtools.benchmarks.throughput.provider import Provider
from devtools.benchmarks.throughput.servers import Place
from devtools.benchmarks.throughput.usage import MemoryWatch, cpu_of, wait_quiet

# As many calls are open as later: threads, sessions and connections are made when they are first used.
WARM_UP_FOR_EACH_CALL, LEAST_WARM_UP = 6, 20
WARM_UP_DELAY_MS = 100
WARM_UP_FIRST = 90_000_000
POLL_S = 0.05
STALLED_S = 45.0
ENQUEUED_WITHIN_S = 900.0
# Single messages to idle workers: how many, and how many a second.
PACED, PACE = 100, 20.0
PACED_FIRST = 50_000_000


@contextmanager
def prepared(contestant: Contestant, place: Place, provider: Provider, delay_ms: int) -> Iterator[Run]:
    """Start servers and workers and warm them up. The workers wait for messages."""
    with TemporaryDirectory(prefix="mailroom-bench-") as name, ExitStack() as stack:
        servers = stack.enter_context(
            place.servers(contestant.schema, contestant.migrate(), contestant.environment(None))
        )
        run = Run(folder=Path(name), servers=servers, provider=provider, delay_ms=delay_ms, stack=stack)
        contestant.start(run)
        provider.restart(WARM_UP_DELAY_MS)
        warm_up = max(LEAST_WARM_UP, WARM_UP_FOR_EACH_CALL * contestant.sends)
        enqueue(contestant, run, Workload(first=WARM_UP_FIRST, count=warm_up))
        contestant.open(run)
        wait_accepted(provider, warm_up)
        provider.restart(delay_ms)
        yield run


def measure(contestant: Contestant, place: Place, provider: Provider, delay_ms: int, count: int) -> Figures:
    """Return the figures of one run. Raises ProcessFailedError."""
    count = count_for(count * contestant.times, sends=contestant.sends, delay_ms=delay_ms)
    with prepared(contestant, place, provider, delay_ms) as run:
        p50, p99 = paced(contestant, run) if contestant.resident else (None, None)
        wait_quiet(run.roots)
        contestant.close(run)
        provider.restart(delay_ms)
        enqueued = enqueue(contestant, run, Workload(first=0, count=count, held=True))
        run.servers.checkpoint()
        with MemoryWatch(lambda: run.roots) as memory:
            before, work_before, began = cpu_of(run.roots), run.servers.work(), time.time()
            contestant.open(run)
            if is_whole := wait_accepted(provider, count, within_s=LONGEST_S) == count:
                wait_quiet(run.roots)
            after, results = cpu_of(run.roots), provider.results()
        run.servers.end_sessions()
        work_after = run.servers.work()
    sent = len(results["accepted"])
    waits = waits_ms(enqueued["times"], results["accepted"])
    enqueueing_s = enqueued["ended_at"] - min(enqueued["times"].values())
    return Figures(
        name=contestant.name,
        delay_ms=delay_ms,
        count=sent,
        emails_per_s=sent / (max(results["accepted"].values()) - began),
        cpu_ms={name: (after[name] - before[name]) * 1000 / sent for name in after},
        per_email={name: (work_after[name] - work_before[name]) / sent for name in work_after}
        | {"requests": results["requests"] / sent},
        enqueue_per_s=count / enqueueing_s,
        enqueue_cpu_ms=enqueued["all_cpu_s"] * 1000 / count,
        peak_mib=memory.peak_mib,
        most_open=results["most_open"],
        p50_ms=p50,
        p99_ms=p99,
        backlog_p50_ms=waits[0],
        backlog_p99_ms=waits[1],
        problems=complaints(count if is_whole else sent, results),
    )


def paced(contestant: Contestant, run: Run) -> tuple[float, float]:
    """Return the median and 99th percentile of the wait of single messages without a backlog."""
    enqueued = enqueue(contestant, run, Workload(first=PACED_FIRST, count=PACED, rate=PACE))
    wait_accepted(run.provider, PACED)
    return waits_ms(enqueued["times"], run.provider.results()["accepted"])


def enqueue(contestant: Contestant, run: Run, workload: Workload) -> dict[str, Any]:
    """Enqueue messages; return each message's time and the CPU seconds of client and servers."""
    file = run.folder / "enqueued.json"
    with contestant.enqueuer(run, workload, file) as process:
        process.expect("ready", ENQUEUED_WITHIN_S)
        before = cpu_of(run.servers.roots)
        process.tell("go")
        process.expect("done", ENQUEUED_WITHIN_S)
        after = cpu_of(run.servers.roots)
    enqueued: dict[str, Any] = json.loads(file.read_text())
    servers_s = sum(after.values()) - sum(before.values())
    return enqueued | {"all_cpu_s": enqueued["cpu_s"] + servers_s}


def wait_accepted(provider: Provider, count: int, within_s: float = math.inf) -> int:
    """Wait until the double has accepted `count` emails or the time is over; return how many it has accepted.

    Raises ProcessFailedError if none comes for long.
    """
    began = changed_at = time.monotonic()
    seen = 0
    while (now := provider.count()) < count and time.monotonic() - began < within_s:
        if now != seen:
            seen, changed_at = now, time.monotonic()
        if time.monotonic() - changed_at > STALLED_S:
            rejected = provider.results()["rejected"]
            raise ProcessFailedError(f"only {now} of {count} emails were accepted; rejected: {rejected}")
        time.sleep(POLL_S)
    return now
