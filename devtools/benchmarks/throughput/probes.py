"""Figures that do not compare contestants: urgent messages behind bulk, a large backlog, sign-ups."""

import re
import subprocess
import sys
import time
from collections.abc import Mapping

from config.environment import BASE_DIR
from devtools.benchmarks.throughput.contestant import Batch, python_module
from devtools.benchmarks.throughput.figures import Figures, waits_ms
from devtools.benchmarks.throughput.line_process import LineProcess, ProcessFailedError
from devtools.benchmarks.throughput.mailroom import Mailroom
from devtools.benchmarks.throughput.measure import enqueue, prepared, wait_accepted
from devtools.benchmarks.throughput.provider import Provider
from devtools.benchmarks.throughput.servers import Place
from devtools.stack.console import say

CRITICAL_DELAY_MS = 100
CRITICAL, CRITICAL_PACE = 100, 5.0
CRITICAL_FIRST, IDLE_FIRST = 60_000_000, 70_000_000
# How many times the backlog of the other runs lies behind the critical messages, and is queued for the growth.
CRITICAL_TIMES, GROWTH_TIMES = 10, 100
MILLION = 1_000_000
BULK = Mailroom(name="mailroom chunk", way="chunk")
URGENT = Mailroom(name="mailroom critical", way="critical")
DEMO_LINE = re.compile(r"^demo: .*queued_p50_ms=([\d.]+) .*ratio=([\d.]+)", re.MULTILINE)


def critical(place: Place, provider: Provider, count: int) -> Mapping[str, float | None]:
    """Measure the wait of critical messages, first with idle workers, then behind a bulk backlog."""
    with prepared(BULK, place, provider, CRITICAL_DELAY_MS) as run:
        enqueue(BULK, run, Batch(first=0, count=count * CRITICAL_TIMES, held=True))
        run.servers.checkpoint()
        idle = enqueue(URGENT, run, Batch(first=IDLE_FIRST, count=CRITICAL, rate=CRITICAL_PACE))
        wait_accepted(provider, CRITICAL)
        _, idle_p99 = waits_ms(idle["times"], provider.results()["accepted"])
        BULK.open(run)
        wait_accepted(provider, CRITICAL + 1)
        behind = enqueue(URGENT, run, Batch(first=CRITICAL_FIRST, count=CRITICAL, rate=CRITICAL_PACE))
        left = count * CRITICAL_TIMES + 2 * CRITICAL - provider.count()
        accepted = _all_of(provider, list(behind["times"]))
        p50, p99 = waits_ms(behind["times"], accepted)
    waits = f"p50 {p50:.0f} ms, p99 {p99:.0f} ms; idle p99 {idle_p99:.0f} ms"
    say(f"critical behind {count * CRITICAL_TIMES:,} bulk messages: {waits}")
    # Without a backlog until the end nothing was behind anything.
    return {"critical_p99_ms": p99 if left > 0 else None, "critical_idle_p99_ms": idle_p99}


def _all_of(provider: Provider, addresses: list[str]) -> Mapping[str, float]:
    give_up_at = time.monotonic() + 30
    while not (accepted := provider.results()["accepted"]).keys() >= set(addresses):
        if time.monotonic() > give_up_at:
            raise ProcessFailedError("not all critical messages were accepted within 30 s")
        time.sleep(1)
    return dict(accepted)


def growth(place: Place, provider: Provider, chunk: Figures | None, count: int) -> Mapping[str, float | None]:
    """Compare the rate with a hundred times as many messages queued with that of `chunk`."""
    total = count * GROWTH_TIMES
    with prepared(BULK, place, provider, 0) as run:
        command = [*python_module("grow"), str(total)]
        with LineProcess(command, BULK.environment(run), run.folder / "grow.log") as process:
            process.expect("done", 1800)
        run.servers.checkpoint()
        began = time.time()
        BULK.open(run)
        wait_accepted(provider, count)
        moments = sorted(provider.results()["accepted"].values())
    rate = count / (moments[count - 1] - began)
    say(f"with {total:,} queued: {rate:.0f} emails/s")
    is_whole = total >= MILLION and chunk is not None and not chunk.problems
    return {"growth_1m": rate / chunk.emails_per_s if chunk and is_whole else None, "growth_emails_per_s": rate}


def sign_up() -> Mapping[str, float | None]:
    """Run the demo: a queued and an inline sign-up at a provider that needs 2 s."""
    command = [sys.executable, "-m", "devtools.demo"]
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
    found = DEMO_LINE.search(done.stdout)
    if not found:
        raise ProcessFailedError(f"the demo did not finish:\n{(done.stdout + done.stderr)[-800:]}")
    return {"signup_p50_ms": float(found[1]), "signup_vs_inline": float(found[2])}
