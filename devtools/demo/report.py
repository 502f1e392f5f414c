"""Format the demo's figures and list the failures. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from devtools.chaos.checker import Verdict
from devtools.chaos.report import Broken, about, copy_of, itemized
from devtools.chaos.workload import Operation, Result
from devtools.stack.console import row
from devtools.stack.facts import percentile

LEAST_RATIO = 40.0
LONGEST_CRITICAL_WAIT_S = 1.0
LONGEST_S = 180.0
# Below this, a request probably waits for the provider.
INLINE_RATIO = 4.0
WIDTHS = (28, 9, 9, 9)


@dataclass(frozen=True, kw_only=True)
class DemoFigures:
    """`queued` and `inline`: requests, by how their email is sent. `statuses`: the number of messages in each.

    `waits_s`: by stream, from commit to the start of the provider call.
    """

    queued: Sequence[Operation]
    inline: Sequence[Operation]
    verdict: Verdict
    waits_s: dict[str, list[float]]
    statuses: dict[str, int]
    took_s: float

    @property
    def sign_ups_ms(self) -> list[float]:
        return _took_ms(self.queued, "welcome")

    @property
    def resets_ms(self) -> list[float]:
        return _took_ms(self.queued, "password-reset")

    @property
    def inline_ms(self) -> list[float]:
        return _took_ms(self.inline, "welcome")

    @property
    def ratio(self) -> float:
        queued = percentile(self.sign_ups_ms, 0.5)
        return percentile(self.inline_ms, 0.5) / queued if queued else 0.0

    @property
    def critical_wait_p95_s(self) -> float:
        return percentile(self.waits_s["critical"], 0.95)


def failures(figures: DemoFigures) -> Iterator[str]:
    """Yield what a correct installation does not do, however slow the machine is."""
    verdict = figures.verdict
    yield from itemized(Broken.LOST, [about(fact) for fact in verdict.lost])
    yield from itemized(Broken.DOUBLED, [copy_of(duplicate) for duplicate in verdict.duplicates])
    failed = [one for one in (*figures.queued, *figures.inline) if one.result is not Result.ACKNOWLEDGED]
    yield from itemized(Broken.REJECTED, [one.address for one in failed])
    if not figures.sign_ups_ms:
        yield "No sign-up succeeded."
    elif 0 < figures.ratio < INLINE_RATIO:
        yield f"A queued sign-up was only {figures.ratio:.1f} times as fast as one that waits for the provider."
    bulk_s = percentile(figures.waits_s["bulk"], 0.5)
    if (waited_s := figures.critical_wait_p95_s) > max(bulk_s, LONGEST_CRITICAL_WAIT_S):
        yield f"Password resets waited {waited_s:.2f} s (p95), longer than bulk email ({bulk_s:.2f} s)."


def delays(figures: DemoFigures) -> Iterator[str]:
    """Yield what was slower than on an ordinary machine that does nothing else."""
    if INLINE_RATIO <= figures.ratio < LEAST_RATIO:
        yield (
            f"A queued sign-up was only {figures.ratio:.1f} times as fast as an inline one; expected at least"
            f" {LEAST_RATIO:g} times."
        )
    if figures.critical_wait_p95_s > LONGEST_CRITICAL_WAIT_S:
        yield (
            f"Password resets waited {figures.critical_wait_p95_s:.2f} s for the provider call (p95); expected at most"
            f" {LONGEST_CRITICAL_WAIT_S:g} s."
        )
    if figures.took_s >= LONGEST_S:
        yield f"The demo took {figures.took_s:.0f} s; expected at most {LONGEST_S:g} s."


def table(figures: DemoFigures) -> str:
    lines = ["", "Response times of the pages, ms", row("", ("p50", "p95", "max"), WIDTHS)]
    for name, values in (
        ("sign-up, queued", figures.sign_ups_ms),
        ("password reset, queued", figures.resets_ms),
        ("sign-up, sent inline", figures.inline_ms),
    ):
        lines.append(row(name, [f"{figure:.0f}" for figure in _spread(values)], WIDTHS))
    lines += ["", "From commit to the provider call, s", row("", ("p50", "p95", "max"), WIDTHS)]
    for stream, waits in figures.waits_s.items():
        lines.append(row(f"{stream} ({len(waits)} messages)", [f"{figure:.2f}" for figure in _spread(waits)], WIDTHS))
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(figures.statuses.items()))
    verdict = figures.verdict
    lines += ["", f"Messages by status: {statuses}"]
    lines += [f"Requests and announcements: {verdict.accepted}; emails the provider accepted: {verdict.sent}", ""]
    return "\n".join(lines)


def last_line(figures: DemoFigures) -> str:
    verdict = figures.verdict
    bulk = len(figures.waits_s["bulk"])
    queued = verdict.sent - len(figures.inline_ms)
    return (
        f"demo: signups={len(figures.sign_ups_ms)} resets={len(figures.resets_ms)} bulk={bulk} sent={queued}"
        f" lost={len(verdict.lost)} duplicated={len(verdict.duplicates)}"
        f" queued_p50_ms={percentile(figures.sign_ups_ms, 0.5):.1f}"
        f" inline_p50_ms={percentile(figures.inline_ms, 0.5):.1f}"
        f" ratio={figures.ratio:.1f} critical_wait_p95_s={figures.critical_wait_p95_s:.2f}"
    )


def _took_ms(operations: Sequence[Operation], kind: str) -> list[float]:
    return [one.took_s * 1000 for one in operations if one.result is Result.ACKNOWLEDGED and one.kind == kind]


def _spread(values: list[float]) -> tuple[float, float, float]:
    return percentile(values, 0.5), percentile(values, 0.95), max(values, default=0.0)
