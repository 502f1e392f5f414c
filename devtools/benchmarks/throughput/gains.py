"""Figures before the redesign of the delivery, and those of this run. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from devtools.benchmarks.throughput.field import BATCH, CHUNK, SINGLE, TASK
from devtools.benchmarks.throughput.figures import Figures


@dataclass(frozen=True)
class Gain:
    """`before` was measured with two cores and a double that answers immediately, in two sessions."""

    name: str
    before: str
    contestant: str
    read: Callable[[Figures], float]


def _rate(of: Figures) -> float:
    return of.emails_per_s


def _cpu_ms(of: Figures) -> float:
    return of.all_cpu_ms


def _not_hot_percent(of: Figures) -> float:
    return 100 * (1 - of.per_email["hot_updates"] / max(of.per_email["updates"], 1e-9))


GAINS = (
    Gain("single messages: emails/s", "85-174", SINGLE, _rate),
    Gain("single messages, a task each: CPU ms", "8-15.5", TASK, _cpu_ms),
    Gain("bulk, single calls: emails/s", "283-352", CHUNK, _rate),
    Gain("bulk, single calls: CPU ms", "4.9-5.5", CHUNK, _cpu_ms),
    Gain("bulk, batches: emails/s", "-", BATCH, _rate),
    Gain("bulk, batches: CPU ms", "-", BATCH, _cpu_ms),
    Gain("enqueue_many: messages/s", "570-1,450", BATCH, lambda of: of.enqueue_per_s),
    Gain("updates that are not HOT, %", "75", TASK, _not_hot_percent),
)
PROBED = {"idle_cpu_percent": ("idle stack: % of a core", "3.8-7.1"), "idle_pss_mib": ("idle stack: MiB", "764-910")}


def gains(whole: Sequence[Figures], probes: Mapping[str, float | None]) -> str:
    """Return a table with one line for each figure."""
    at = {each.name: each for each in whole if each.delay_ms == 0 and not each.problems}
    lines = [("", "before", "after")]
    for gain in GAINS:
        found = at.get(gain.contestant)
        lines.append((gain.name, gain.before, _shown(gain.read(found) if found else None)))
    lines += [(name, before, _shown(probes.get(probe))) for probe, (name, before) in PROBED.items()]
    return "\n".join(f"{name:<40}{before:>12}{after:>12}" for name, before, after in lines)


def _shown(value: float | None) -> str:
    return "n/a" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"  # noqa: PLR2004
