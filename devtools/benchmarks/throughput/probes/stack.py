"""What the whole stack costs while it is idle, how long a publish takes, and how long a sign-up."""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from config.environment import BASE_DIR
from config.processes import PROCESSES
from devtools.benchmarks.sign_up import MEASURE_PUBLISH
from devtools.benchmarks.throughput.line_process import ProcessFailedError
from devtools.benchmarks.throughput.probes.sizes import Sizes
from devtools.benchmarks.throughput.usage import cpu_of, memory_mib, resident_mib
from devtools.stack.console import row, say
from devtools.stack.facts import percentile
from devtools.stack.ports import free_port
from devtools.stack.stack import Ports, Stack, StackError
from devtools.stack.supervision import SupervisorError

# Start-up work is over after this time.
SETTLED_S = 30.0
DEMO_LINE = re.compile(r"^demo: .*queued_p50_ms=([\d.]+) .*ratio=([\d.]+)", re.MULTILINE)
WIDTHS = (24, 10, 10, 10)


def idle(sizes: Sizes) -> Mapping[str, float | None]:
    """Start all shipped processes and their servers, and measure them without any work. Then measure publishing."""
    with tempfile.TemporaryDirectory(prefix="mailroom-bench-") as folder:
        ports = Ports(web=free_port(), flower=free_port(), simulator=free_port())
        stack = Stack(Path(folder), ports, os.environ)
        try:
            with stack.running(lambda _: None):
                time.sleep(min(SETTLED_S, sizes.idle_s))
                used = _usage(stack, sizes.idle_s)
                printed = stack.manage("shell", "-v", "0", "-c", MEASURE_PUBLISH)
        except (StackError, SupervisorError) as error:
            raise ProcessFailedError(str(error)) from error
    publishes = [float(line) for line in printed.split()]
    say(f"publishing: p50 {statistics.median(publishes):.2f} ms, p99 {percentile(publishes, 0.99):.2f} ms")
    return used | {"publish_p50_ms": statistics.median(publishes), "publish_p99_ms": percentile(publishes, 0.99)}


def _usage(stack: Stack, seconds: float) -> dict[str, float]:
    """Return the share of a core in percent, and the memory, without the provider's simulator and supervisord."""
    names = [*(server.name for server in stack.servers), *(process.name for process in PROCESSES)]
    roots = {name: [stack.supervisor.pid(name)] for name in names}
    before, began = cpu_of(roots), time.monotonic()
    time.sleep(seconds)
    after, took_s = cpu_of(roots), time.monotonic() - began
    percent = {name: 100 * (after[name] - before[name]) / took_s for name in names}
    pss = {name: memory_mib(roots[name][0]) for name in names}
    rss = {name: resident_mib(roots[name][0]) for name in names}
    lines = [row(name, [f"{percent[name]:.2f}", f"{pss[name]:.0f}", f"{rss[name]:.0f}"], WIDTHS) for name in names]
    say("\n".join([row("idle", ("CPU %", "PSS MiB", "RSS MiB"), WIDTHS), *lines]))
    return {
        "idle_cpu_percent": sum(percent.values()),
        "idle_pss_mib": sum(pss.values()),
        "idle_rss_mib": sum(rss.values()),
    }


def sign_up() -> Mapping[str, float | None]:
    """Run the demo: a queued and an inline sign-up at a provider that needs 2 s."""
    command = [sys.executable, "-m", "devtools.demo"]
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
    found = DEMO_LINE.search(done.stdout)
    if not found:
        raise ProcessFailedError(f"the demo did not finish:\n{(done.stdout + done.stderr)[-800:]}")
    return {"signup_p50_ms": float(found[1]), "signup_vs_inline": float(found[2])}
