"""What an email costs each process, and what a core of it therefore carries. Pure."""

from collections.abc import Callable, Sequence

from devtools.benchmarks.throughput.field import BATCH, CHUNK, SINGLE, TASK
from devtools.benchmarks.throughput.figures import Figures

WAYS = {"single, a task each": TASK, "single, in a burst": SINGLE, "bulk, single calls": CHUNK, "bulk, batches": BATCH}
LINES: dict[str, Callable[[Figures], float]] = {
    "CPU ms per email: workers": lambda of: of.cpu_ms["workers"],
    "CPU ms per email: relay": lambda of: of.cpu_ms["relay"],
    "CPU ms per email: PostgreSQL": lambda of: of.cpu_ms["postgres"],
    "CPU ms per email: Redis": lambda of: of.cpu_ms["valkey"],
    "CPU ms per email: to enqueue it": lambda of: of.enqueue_cpu_ms,
    "commits per email": lambda of: of.per_email["commits"],
    "WAL bytes per email": lambda of: of.per_email["wal_bytes"],
    "updated rows per email": lambda of: of.per_email["updates"],
    "of them HOT, %": lambda of: 100 * of.per_email["hot_updates"] / max(of.per_email["updates"], 1e-9),
    "Redis commands per email": lambda of: of.per_email["commands"],
    "calls of the provider per email": lambda of: of.per_email["requests"],
    "emails/s that one worker process carries": lambda of: _carried(of, "workers"),
    "emails/s that the relay carries": lambda of: _carried(of, "relay"),
    "emails/s for each core of PostgreSQL": lambda of: _carried(of, "postgres"),
    "emails/s that one Redis carries": lambda of: _carried(of, "valkey"),
    "MB of WAL per second at 1,000 emails/s": lambda of: of.per_email["wal_bytes"] / 1000,
}


def _carried(of: Figures, part: str) -> float:
    # By one core that does nothing else.
    return 1000 / max(of.cpu_ms[part], 1e-3)


def costs(whole: Sequence[Figures]) -> str:
    """Return a table of what an email costs at an immediate provider, by way; nothing if no way was measured."""
    by_name = {each.name: each for each in whole if each.delay_ms == 0 and each.emails_per_s and not each.problems}
    found = {way: by_name[name] for way, name in WAYS.items() if name in by_name}
    if not found:
        return ""
    head = f"{'':<42}" + "".join(f"{way:>22}" for way in found)
    lines = [
        f"{name:<42}" + "".join(f"{_shown(cost(each)):>22}" for each in found.values()) for name, cost in LINES.items()
    ]
    return "\n".join([head, *lines])


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004
