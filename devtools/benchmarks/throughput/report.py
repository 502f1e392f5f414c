"""The table, the measured section of docs/performance.md and the last line. Pure."""

from collections.abc import Mapping, Sequence

from devtools.benchmarks.throughput.field import BATCH, CHUNK, MANY, NAIVE, SINGLE, TASK, UNRENDERED
from devtools.benchmarks.throughput.figures import Figures
from devtools.stack.console import row

WIDTHS = (32, 8, 10, 9, 9, 10, 9, 9, 9, 9)
HEADS = ("emails", "emails/s", "CPU ms", "enq. ms", "peak MiB", "calls", "open", "p50 ms", "p99 ms")
BAR = 50
START, END = "<!-- bench: written by make bench -->", "<!-- bench: end -->"
# The fields of the last line that probes measure, in its order. The first four follow the ratios.
PROBES = (
    *("critical_p99_ms", "signup_p50_ms", "signup_vs_inline", "growth_1m"),
    *("history_10m", "critical_idle_p99_ms", "critical_behind_singles_p99_ms", "publish_p50_ms"),
    *("idle_cpu_percent", "idle_pss_mib", "idle_rss_mib", "memory_growth"),
)
NOT_MEASURED = "n/a"


def table(figures: Sequence[Figures]) -> str:
    """Return one table. CPU and enqueueing are ms of CPU per email; waits are those with idle workers."""
    lines = []
    for delay_ms in sorted({each.delay_ms for each in figures}):
        lines += ["", row(f"provider at {delay_ms} ms", HEADS, WIDTHS)]
        lines += [row(each.name, _cells(each), WIDTHS) for each in _fastest_first(figures, delay_ms)]
    failed = [f"  {each.name} at {each.delay_ms} ms: {problem}" for each in figures for problem in each.problems]
    return "\n".join([*lines, "", *failed])


def _cells(each: Figures) -> list[str]:
    return [
        str(each.count),
        f"{each.emails_per_s:.0f}",
        f"{each.all_cpu_ms:.2f}",
        f"{each.enqueue_cpu_ms:.2f}",
        f"{each.peak_mib:.0f}",
        f"{each.per_email.get('requests', 0.0) * each.count:.0f}",
        str(each.most_open) if each.delay_ms else "-",
        _optional(each.p50_ms),
        _optional(each.p99_ms),
    ]


def _optional(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _fastest_first(figures: Sequence[Figures], delay_ms: int) -> list[Figures]:
    return sorted((each for each in figures if each.delay_ms == delay_ms), key=lambda each: -each.emails_per_s)


def chart(figures: Sequence[Figures]) -> str:
    """Return bars of emails per second, with a scale for each delay."""
    lines = []
    for delay_ms in sorted({each.delay_ms for each in figures}):
        ordered = _fastest_first(figures, delay_ms)
        most = max(each.emails_per_s for each in ordered) or 1.0
        lines += ["", f"emails/s, provider at {delay_ms} ms (CPU ms per email)"]
        for each in ordered:
            bar = "█" * max(1, round(BAR * each.emails_per_s / most))
            lines.append(f"{each.name:<30} {bar} {each.emails_per_s:.0f} ({each.all_cpu_ms:.1f})")
    return "\n".join(lines[1:])


def probes_table(probes: Mapping[str, float | None]) -> str:
    """Return one line for each figure of the probes."""
    return "\n".join(f"{name:<40} {_shown(value)}" for name, value in probes.items())


def section(text: str) -> str:
    return f"{START}\n```text\n{text.strip()}\n```\n{END}"


def with_section(page: str, measured: str) -> str:
    """Return the page with its measured section replaced, or added at the end."""
    before, found, rest = page.partition(START)
    if not found:
        return f"{page.rstrip()}\n\n{measured}\n".lstrip()
    return f"{before}{measured}{rest.partition(END)[2]}"


def last_line(figures: Sequence[Figures], probes: Mapping[str, float | None]) -> str:
    """Return the verdict's line. A figure that this run did not measure is n/a.

    Of a peer's settings, the fastest counts: for Celery, the one that keeps its connections to the database if that is
    faster, and in `single_vs_naive_celery` the one with Celery's defaults. A burst of single messages is mostly sent
    in chunks; `cpu_ms_single` is of messages with a task each.
    """
    at = {(each.name, each.delay_ms): each for each in figures if each.emails_per_s and not each.problems}
    single, task, chunk, batch = (at.get((name, 0)) for name in (SINGLE, TASK, CHUNK, BATCH))
    many = at.get((f"{SINGLE} x{MANY}", 100))
    good = list(at.values())
    fields = {
        "single_vs_post_office": _ratio(single, _best(good, "post_office", 0)),
        "single_vs_celery": _ratio(single, _best(good, "celery ", 0)),
        "single_vs_bullmq": _ratio(single, _best(good, "bullmq", 0)),
        "bulk_vs_bullmq": _ratio(batch, _best(good, "bullmq", 0)),
        "cpu_ms_single": task.all_cpu_ms if task else None,
        "cpu_ms_chunk": chunk.all_cpu_ms if chunk else None,
        "latency100_vs_bullmq": _ratio(many, at.get((f"bullmq x{MANY}", 100))),
        **{name: probes.get(name) for name in PROBES},
        "bulk_per_s": batch.emails_per_s if batch else None,
        "single_per_s": single.emails_per_s if single else None,
        "single_vs_naive_celery": _ratio(single, at.get((NAIVE, 0))),
    }
    return "bench: " + " ".join(f"{name}={_shown(value)}" for name, value in fields.items())


def _best(figures: Sequence[Figures], prefix: str, delay_ms: int) -> Figures | None:
    """Return the fastest of a peer's settings that renders, if any of them can."""
    found = [
        each
        for each in _fastest_first(figures, delay_ms)
        if each.name.startswith(prefix) and not each.name.endswith(UNRENDERED)
    ]
    return found[0] if found else None


def _ratio(ours: Figures | None, theirs: Figures | None) -> float | None:
    return ours.emails_per_s / theirs.emails_per_s if ours and theirs else None


def _shown(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.2f}" if value < 100 else f"{value:.0f}"  # noqa: PLR2004
