"""How long urgent messages wait, with idle workers and behind a bulk backlog."""

import json
import time
from collections.abc import Mapping

from devtools.benchmarks.throughput.contestant import Run, Workload
from devtools.benchmarks.throughput.figures import waits_ms
from devtools.benchmarks.throughput.line_process import ProcessFailedError
from devtools.benchmarks.throughput.mailroom import Mailroom
from devtools.benchmarks.throughput.measure import ENQUEUED_WITHIN_S, enqueue, prepared, wait_accepted
from devtools.benchmarks.throughput.probes.backlog import BATCH, CHUNK, queue
from devtools.benchmarks.throughput.probes.sizes import Sizes
from devtools.benchmarks.throughput.provider import Provider
from devtools.benchmarks.throughput.servers import Place
from devtools.stack.console import say

DELAY_MS = 100
PACE = 10.0
BEHIND_FIRST, IDLE_FIRST = 60_000_000, 70_000_000
URGENT = Mailroom(name="mailroom critical", way="critical")


def critical(place: Place, provider: Provider, sizes: Sizes) -> Mapping[str, float | None]:
    """Measure behind bulk in the provider's batches, which is the default, and behind bulk in single calls."""
    behind_batches = behind(BATCH, place, provider, sizes)
    behind_singles = behind(CHUNK, place, provider, sizes)
    return {
        "critical_p99_ms": behind_batches["p99_ms"],
        "critical_idle_p99_ms": behind_batches["idle_p99_ms"],
        "critical_behind_singles_p99_ms": behind_singles["p99_ms"],
        "critical_behind_singles_idle_p99_ms": behind_singles["idle_p99_ms"],
    }


def behind(bulk: Mailroom, place: Place, provider: Provider, sizes: Sizes) -> Mapping[str, float | None]:
    with prepared(bulk, place, provider, DELAY_MS) as run:
        idle = enqueue(URGENT, run, Workload(first=IDLE_FIRST, count=sizes.critical, rate=PACE))
        wait_accepted(provider, sizes.critical)
        idle_p50, idle_p99 = waits_ms(idle["times"], provider.results()["accepted"])
        queue(bulk, run, sizes.bulk, "behind")
        urgent = _behind(bulk, run, sizes)
        left = sizes.bulk + sizes.critical - provider.count()
        p50, p99 = waits_ms(urgent, _all_of(provider, list(urgent)))
    waits = f"p50 {p50:.0f} ms, p99 {p99:.0f} ms; with idle workers p50 {idle_p50:.0f} ms, p99 {idle_p99:.0f} ms"
    say(f"critical behind {sizes.bulk:,} of {bulk.name}, {max(left, 0):,} left at the end: {waits}")
    # Without a backlog until the end nothing was behind anything.
    return {"p99_ms": p99 if left > sizes.critical else None, "idle_p99_ms": idle_p99}


def _behind(bulk: Mailroom, run: Run, sizes: Sizes) -> dict[str, float]:
    """Enqueue urgent messages while bulk is sent; return when."""
    file = run.folder / "urgent.json"
    workload = Workload(first=BEHIND_FIRST, count=sizes.critical, rate=PACE)
    with URGENT.enqueuer(run, workload, file) as process:
        process.expect("ready")
        bulk.open(run)
        wait_accepted(run.provider, 1)
        process.tell("go")
        process.expect("done", ENQUEUED_WITHIN_S)
    times: dict[str, float] = json.loads(file.read_text())["times"]
    return times


def _all_of(provider: Provider, addresses: list[str]) -> Mapping[str, float]:
    give_up_at = time.monotonic() + 30
    accepted: dict[str, float] = {}
    while not accepted.keys() >= set(addresses):
        if time.monotonic() > give_up_at:
            raise ProcessFailedError("not all critical messages were accepted within 30 s")
        # Before the first question too: its long answer would delay the last messages.
        time.sleep(1)
        accepted = provider.results()["accepted"]
    return accepted
