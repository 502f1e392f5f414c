"""The figures of a run, and the order of the runs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from statistics import median
from typing import Any

from devtools.stack.facts import percentile

# After this long, a run ends with what was sent until then.
LONGEST_S = 12.0
FEWEST = 50


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One run. `cpu_ms` is per email, from the start of the sending; `enqueue_cpu_ms` came before it.

    `per_email`: requests to the provider and what the servers did for an email, see `Servers.work`.
    `p50_ms`, `p99_ms`: from enqueueing a single message to its acceptance, with idle workers. `backlog_p50_ms` and
    `backlog_p99_ms`: the same for the backlog, where it is mostly the wait for the messages before.
    """

    name: str
    delay_ms: int
    count: int = 0
    emails_per_s: float = 0.0
    cpu_ms: Mapping[str, float] = field(default_factory=dict)
    per_email: Mapping[str, float] = field(default_factory=dict)
    enqueue_per_s: float = 0.0
    enqueue_cpu_ms: float = 0.0
    peak_mib: float = 0.0
    most_open: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    backlog_p50_ms: float = 0.0
    backlog_p99_ms: float = 0.0
    problems: Sequence[str] = ()

    @property
    def all_cpu_ms(self) -> float:
        return sum(self.cpu_ms.values())


def waits_ms(enqueued: Mapping[str, float], accepted: Mapping[str, float]) -> tuple[float, float]:
    """Return the median and the 99th percentile of the time from enqueueing to acceptance."""
    waits = [(accepted[to] - at) * 1000 for to, at in enqueued.items() if to in accepted]
    return percentile(waits, 0.5), percentile(waits, 0.99)


def complaints(expected: int, results: Mapping[str, Any]) -> list[str]:
    """Return what the double found wrong with a run."""
    found = [f"{count} requests rejected: {problem}" for problem, count in results["rejected"].items()]
    if results["duplicates"]:
        found.append(f"{len(results['duplicates'])} messages accepted twice")
    if missing := expected - len(results["accepted"]):
        found.append(f"{missing} messages missing")
    return found


def is_slowed_by_double(runs: Sequence[Figures], capacity: float) -> bool:
    """Return whether the double's capacity may have limited a contestant."""
    return any(run.emails_per_s * run.per_email.get("requests", 1.0) > capacity / 2 for run in runs)


def count_for(count: int, *, sends: int, delay_ms: int) -> int:
    """Return how many messages a contestant gets that makes `sends` calls at the same time."""
    if not delay_ms:
        return count
    return min(count, max(FEWEST, int(LONGEST_S * sends * 1000 / delay_ms)))


def rotated(names: Sequence[str], round_number: int, rounds: int) -> list[str]:
    """Return the order of a round. Rounds start at different places; every second one is reversed."""
    start = len(names) * round_number // max(rounds, 1)
    turned = [*names[start:], *names[:start]]
    return turned[::-1] if round_number % 2 else turned


def medians(runs: Sequence[Figures]) -> Figures:
    """Return the median of each figure over the rounds of one contestant at one delay. Failed runs do not count."""
    good = [run for run in runs if not run.problems]
    if not good:
        return runs[0]

    def middle(name: str) -> Any:
        values = [value for run in good if (value := getattr(run, name)) is not None]
        return median(values) if values else None

    numbers = ("emails_per_s", "enqueue_per_s", "enqueue_cpu_ms", "peak_mib", "p50_ms", "p99_ms")
    return Figures(
        name=runs[0].name,
        delay_ms=runs[0].delay_ms,
        count=good[0].count,
        cpu_ms=_middle_of_each([run.cpu_ms for run in good]),
        per_email=_middle_of_each([run.per_email for run in good]),
        most_open=max(run.most_open for run in good),
        problems=[problem for run in runs for problem in run.problems],
        **{name: middle(name) for name in (*numbers, "backlog_p50_ms", "backlog_p99_ms")},
    )


def _middle_of_each(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: median(each[name] for each in found if name in each) for name in sorted({*chain(*found)})}
