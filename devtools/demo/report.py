"""How the demo's figures read. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from devtools.demo.crowd import Crowd
from devtools.demo.verdict import Verdict
from devtools.stack.facts import percentile

LEAST_RATIO = 40.0
LONGEST_CRITICAL_WAIT_S = 1.0
LONGEST_S = 180.0


@dataclass(frozen=True, kw_only=True)
class Figures:
    """`waits_s`: per stream, from commit to the start of the provider call. `statuses`: messages by status."""

    crowd: Crowd
    verdict: Verdict
    waits_s: dict[str, list[float]]
    statuses: dict[str, int]
    took_s: float

    @property
    def ratio(self) -> float:
        queued = percentile(self.crowd.queued_ms, 0.5)
        return percentile(self.crowd.inline_ms, 0.5) / queued if queued else 0.0

    @property
    def critical_wait_p95_s(self) -> float:
        return percentile(self.waits_s["critical"], 0.95)


def complaints(figures: Figures) -> Iterator[str]:
    """Yield a sentence for each limit that was missed: what was seen, and what it should have been."""
    verdict = figures.verdict
    if verdict.lost:
        yield f"{verdict.lost} emails were promised and never reached the provider."
    if verdict.duplicated:
        yield f"{verdict.duplicated} emails reached the provider twice or more."
    if not figures.crowd.queued_ms:
        yield "No sign-up succeeded."
    elif figures.ratio < LEAST_RATIO:
        yield (
            f"A queued sign-up was only {figures.ratio:.1f} times faster than an inline one; at least"
            f" {LEAST_RATIO:g} times was expected. A busy machine can cause this."
        )
    if figures.critical_wait_p95_s > LONGEST_CRITICAL_WAIT_S:
        yield (
            f"Password resets waited {figures.critical_wait_p95_s:.2f} s for the provider call (p95); at most"
            f" {LONGEST_CRITICAL_WAIT_S:g} s was expected. A busy machine can cause this."
        )
    if figures.took_s >= LONGEST_S:
        yield f"The demo took {figures.took_s:.0f} s; less than {LONGEST_S:g} s was expected. The machine may be busy."


def table(figures: Figures) -> str:
    crowd = figures.crowd
    lines = ["", "How long people waited, ms", _row("", "p50", "p95", "max")]
    for name, values in (
        ("sign-up, queued", crowd.queued_ms),
        ("password reset, queued", crowd.reset_ms),
        ("sign-up, sent inline", crowd.inline_ms),
    ):
        lines.append(_row(name, *(f"{figure:.0f}" for figure in _spread(values))))
    lines += ["", "From commit to the provider call, s", _row("", "p50", "p95", "max")]
    for stream, waits in figures.waits_s.items():
        lines.append(_row(f"{stream} ({len(waits)} messages)", *(f"{figure:.2f}" for figure in _spread(waits))))
    copies = ", ".join(f"{count} with {number}" for number, count in figures.verdict.copies.items())
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(figures.statuses.items()))
    lines += ["", f"Messages by status: {statuses}", f"Facts by copies in the provider's journal: {copies}", ""]
    return "\n".join(lines)


def last_line(figures: Figures) -> str:
    crowd, verdict = figures.crowd, figures.verdict
    bulk = len(figures.waits_s["bulk"])
    queued = verdict.sent - len(crowd.inline_ms)
    return (
        f"demo: signups={len(crowd.queued_ms)} resets={len(crowd.reset_ms)} bulk={bulk} sent={queued}"
        f" lost={verdict.lost} duplicated={verdict.duplicated}"
        f" queued_p50_ms={percentile(crowd.queued_ms, 0.5):.1f} inline_p50_ms={percentile(crowd.inline_ms, 0.5):.1f}"
        f" ratio={figures.ratio:.1f} critical_wait_p95_s={figures.critical_wait_p95_s:.2f}"
    )


def _row(name: str, *cells: str) -> str:
    return f"  {name:<28}" + "".join(f"{cell:>9}" for cell in cells)


def _spread(values: list[float]) -> tuple[float, float, float]:
    return percentile(values, 0.5), percentile(values, 0.95), max(values, default=0.0)
