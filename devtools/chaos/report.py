"""Format the figures of a run and list the failures. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from devtools.chaos.checker import Duplicate, Verdict
from devtools.chaos.faults import Action
from devtools.chaos.recovery import Impact
from devtools.chaos.schedule import ScheduledFault
from devtools.chaos.workload import Operation, Result
from devtools.stack.console import row
from devtools.stack.facts import Fact, percentile

# At-least-once kinds.
NEVER_HELD = {"welcome", "password-reset"}
# The longest list; report.json has all entries.
MOST_NAMED = 10
WIDTHS = (44, 7, 7, 10, 10, 12, 16)
# A slower sign-up during a broker fault gets a remark.
SLOW_MS = 300.0
# Pages may respond with 503 this long after the database is back.
DATABASE_BACK_S = 15.0


class Broken(StrEnum):
    """A failure of a run."""

    LOST = "lost: the site acknowledged the request, but no provider accepted the email"
    HELD = "held: the email may not have been sent, and nothing will resend it"
    UNSETTLED = "not settled in time"
    DOUBLED = "duplicated"
    UNEXPLAINED = "duplicated without an explanation"
    UNEXPECTED = "answered neither with success nor with 503"
    SAVED_TWICE = "single-use links that saved two passwords"
    SECOND_SIGN_UP = "double clicks that caused two sign-ups"
    NOTHING_ACKNOWLEDGED = "requests acknowledged"
    REJECTED = "rejected without a database fault"
    NO_EFFECT = "faults without an effect"


@dataclass(frozen=True, kw_only=True)
class FaultFigures:
    """`began_at`: when the workload began, in seconds since 1970. `unsettled`: facts not settled in time."""

    began_at: float
    operations: Sequence[Operation]
    verdict: Verdict
    impacts: Sequence[Impact]
    held: Sequence[Fact]
    unsettled: Sequence[Fact]
    uncertain_settled: int
    settled_s: float

    @property
    def sign_up_p99_ms(self) -> float:
        return percentile(
            [
                operation.took_s * 1000
                for operation in self.operations
                if operation.result is Result.ACKNOWLEDGED and operation.kind == "welcome"
            ],
            0.99,
        )

    @property
    def max_recovery_s(self) -> float:
        return max((impact.recovery_s for impact in self.impacts), default=0.0)


def complaints(figures: FaultFigures) -> Iterator[str]:
    """Yield each failure; a run without any has passed."""
    verdict = figures.verdict
    lists: list[tuple[str, Sequence[Fact]]] = [
        (Broken.LOST, verdict.lost),
        (Broken.HELD, [f for f in figures.held if f[0] in NEVER_HELD]),
        (Broken.UNSETTLED, figures.unsettled),
    ]
    for what, facts in lists:
        yield from itemized(what, [about(fact) for fact in facts])
    yield from itemized(Broken.UNEXPLAINED, [copy_of(duplicate) for duplicate in verdict.unexplained])
    unclean = [
        f"{operation.status} for {operation.kind} to {operation.address}"
        for operation in figures.operations
        if operation.result is Result.UNEXPECTED
    ]
    yield from itemized(Broken.UNEXPECTED, unclean)
    twice = [operation.address for operation in figures.operations if operation.result is Result.SAVED_TWICE]
    yield from itemized(Broken.SAVED_TWICE, twice)
    yield from itemized(Broken.SECOND_SIGN_UP, _second_sign_ups(figures))
    if not any(operation.result is Result.ACKNOWLEDGED for operation in figures.operations):
        yield f"0 {Broken.NOTHING_ACKNOWLEDGED}"
    yield from itemized(Broken.REJECTED, [operation.address for operation in _needlessly(figures)])
    missed = [
        impact.injected.fault.name
        for impact in figures.impacts
        if impact.injected.fault.action is Action.CONTROL and not impact.affected
    ]
    yield from itemized(Broken.NO_EFFECT, missed)


def _second_sign_ups(figures: FaultFigures) -> list[str]:
    return [address for kind, address in figures.verdict.strays if kind == "account-exists"]


def _needlessly(figures: FaultFigures) -> Iterator[Operation]:
    """Yield the operations with a 503 or without an answer outside of database faults."""
    outages = [impact.injected for impact in figures.impacts if impact.injected.fault.target == "postgres"]
    for operation in figures.operations:
        if operation.result is Result.UNKNOWN or operation.result is Result.REJECTED:
            excused = any(one.began_at <= operation.at <= one.ended_at + DATABASE_BACK_S for one in outages)
            if not excused:
                yield operation


def about(fact: Fact) -> str:
    kind, address = fact
    return f"{kind} to {address}"


def copy_of(duplicate: Duplicate) -> str:
    again = f"again at {duplicate.provider} {duplicate.accepted_at}, message {duplicate.message_id}"
    return f"{about(duplicate.fact)}, {again}"


def itemized(what: str, things: Sequence[str]) -> Iterator[str]:
    if things:
        more = f" … and {len(things) - MOST_NAMED} more" if len(things) > MOST_NAMED else ""
        yield f"{len(things)} {what}: {'; '.join(things[:MOST_NAMED])}{more}"


def table(figures: FaultFigures) -> str:
    lines = ["", row("fault", ("at s", "for s", "affected", "rejected", "recovery s", "sign-up p99 ms"), WIDTHS)]
    for impact in figures.impacts:
        injected = impact.injected
        cells = (
            f"{injected.began_at - figures.began_at:.1f}",
            f"{injected.ended_at - injected.began_at:.1f}",
            str(impact.affected),
            str(impact.rejected),
            f"{impact.recovery_s:.1f}",
            f"{impact.sign_up_p99_ms:.0f}" if impact.sign_up_p99_ms else "-",
        )
        lines.append(row(injected.fault.name, cells, WIDTHS))
    return "\n".join([*lines, ""])


def remarks(figures: FaultFigures) -> Iterator[str]:
    results = {result: sum(operation.result is result for operation in figures.operations) for result in Result}
    yield (
        f"{len(figures.operations)} requests: {results[Result.ACKNOWLEDGED]} acknowledged,"
        f" {results[Result.REJECTED]} rejected (503), {results[Result.UNKNOWN]} without an answer."
    )
    if strays := figures.verdict.strays:
        yield f"{len(strays)} emails were sent for requests that were not acknowledged."
    for duplicate in figures.verdict.duplicates:
        if duplicate.why:
            yield f"A copy of the {about(duplicate.fact)} is explained: {duplicate.why}."
    for impact in figures.impacts:
        if impact.injected.fault.of_broker and impact.sign_up_p99_ms > SLOW_MS:
            took = f"{impact.sign_up_p99_ms:.0f} ms (p99) during the fault “{impact.injected.fault.name}”"
            yield f"Sign-up took {took}. On an idle machine it takes less than {SLOW_MS:.0f} ms."
    yield f"Everything was settled {figures.settled_s:.0f} s after the last request."


def last_line(figures: FaultFigures, *others: Verdict, wait_ratio: float) -> str:
    # `others` are the verdicts of parts 2 and 3, whose counts are added. `wait_ratio` comes from part 2.
    verdicts = (figures.verdict, *others)
    return (
        f"prove: accepted={sum(one.accepted for one in verdicts)} sent={sum(one.sent for one in verdicts)}"
        f" held={len(figures.held)} lost={sum(len(one.lost) for one in verdicts)}"
        f" duplicated={sum(len(one.duplicates) for one in verdicts)}"
        f" unexplained_duplicates={sum(len(one.unexplained) for one in verdicts)}"
        f" uncertain_settled={figures.uncertain_settled} max_recovery_s={figures.max_recovery_s:.1f}"
        f" sign_up_p99_ms={figures.sign_up_p99_ms:.0f} beside_bad_recipients_ratio={wait_ratio:.2f}"
    )


def programme(schedule: Sequence[ScheduledFault]) -> Iterator[str]:
    for planned in schedule:
        length = f" for {planned.end_s - planned.start_s:.1f} s" if planned.length_s else ""
        yield f"  {planned.start_s:6.1f} s  {planned.fault.name}{length}"
