"""Whether the rate and the memory stay the same with a large backlog and a large history."""

import shutil
from collections.abc import Mapping

from devtools.benchmarks.throughput.contestant import RELAY, Run
from devtools.benchmarks.throughput.environment import FOLDER
from devtools.benchmarks.throughput.line_process import ProcessFailedError
from devtools.benchmarks.throughput.measure import prepared, wait_accepted
from devtools.benchmarks.throughput.probes.backlog import BATCH, CHUNK, MEASURED, add_history, queue, sent
from devtools.benchmarks.throughput.probes.sizes import MILLION, Sizes
from devtools.benchmarks.throughput.provider import Provider
from devtools.benchmarks.throughput.servers import Place
from devtools.benchmarks.throughput.usage import MemoryWatch
from devtools.stack.console import say

# Of a finished message and its attempt, with indexes and the log that PostgreSQL writes meanwhile.
BYTES_OF_A_ROW = 3_000
LONGEST_S = 120.0


def growth(place: Place, provider: Provider, sizes: Sizes) -> Mapping[str, float | None]:
    """Compare the rate with a large backlog with that of a small one."""
    measured = int(sizes.base * MEASURED)
    with prepared(CHUNK, place, provider, 0) as run:
        queue(CHUNK, run, sizes.base, "base")
        before = sent(CHUNK, run, measured)
        wait_accepted(provider, sizes.base)
        queue(CHUNK, run, sizes.queued, "grown")
        after = sent(CHUNK, run, measured)
    say(f"with {sizes.base:,} queued: {before}; with {sizes.queued:,}: {after}")
    is_whole = sizes.queued >= MILLION
    return {
        "growth_1m": after.per_s / before.per_s if is_whole else None,
        "growth": after.per_s / before.per_s,
        "growth_queued": float(sizes.queued),
    }


def history(place: Place, provider: Provider, sizes: Sizes) -> Mapping[str, float | None]:
    """Compare the rate with finished messages in the tables with that of almost empty ones."""
    if shutil.disk_usage(FOLDER).free < sizes.history * BYTES_OF_A_ROW:
        raise ProcessFailedError(f"no space for {sizes.history:,} finished messages; see --history")
    measured = int(sizes.base * MEASURED)
    with prepared(CHUNK, place, provider, 0) as run:
        queue(CHUNK, run, sizes.base, "base")
        before = sent(CHUNK, run, measured)
        wait_accepted(provider, sizes.base)
        stored_before = run.servers.stored_bytes()
        add_history(CHUNK, run, sizes.history, sizes.base)
        stored = run.servers.stored_bytes() - stored_before
        queue(CHUNK, run, sizes.base, "after")
        after = sent(CHUNK, run, measured)
    say(f"without history: {before}; with {sizes.history:,} finished messages: {after}")
    is_whole = sizes.history >= 10 * MILLION
    return {
        "history_10m": after.per_s / before.per_s if is_whole else None,
        "history": after.per_s / before.per_s,
        "history_rows": float(sizes.history),
        "history_bytes_per_email": stored / sizes.history,
    }


def memory(place: Place, provider: Provider, sizes: Sizes) -> Mapping[str, float | None]:
    """Measure the memory of workers and relay while they send a small and a large backlog in batches."""
    with prepared(BATCH, place, provider, 0) as run:
        queue(BATCH, run, sizes.base, "base")
        small_mib, _ = _peak(run, sizes.base)
        queue(BATCH, run, sizes.queued, "grown")
        large_mib, count = _peak(run, sizes.queued)
    say(f"batches of {sizes.base:,}: {small_mib:.0f} MiB; of {sizes.queued:,}, {count:,} sent: {large_mib:.0f} MiB")
    return {
        "memory_base_mib": small_mib,
        "memory_queued_mib": large_mib,
        "memory_queued_sent": float(count),
        "memory_growth": large_mib / small_mib,
    }


def _peak(run: Run, count: int) -> tuple[float, int]:
    with MemoryWatch(lambda: {name: run.roots[name] for name in ("workers", RELAY)}) as watch:
        BATCH.open(run)
        accepted = wait_accepted(run.provider, count, within_s=LONGEST_S)
    return watch.peak_mib, accepted
