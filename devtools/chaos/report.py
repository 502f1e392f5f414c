"""How a proof's figures read. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from devtools.chaos.checker import Duplicate, Verdict
from devtools.chaos.faults import Act
from devtools.chaos.recovery import Felt
from devtools.chaos.schedule import Harm
from devtools.chaos.workload import Said, Word
from devtools.stack.facts import Fact, percentile

# Mail that people wait for: rather twice than never.
NEVER_HELD = {"welcome", "password-reset"}
# As many of a list are named; the report has all.
MOST_NAMED = 10
# What signing up may take while the broker is harmed.
SLOW_MS = 300.0
# After a database's return its pages may still ask people to come again for so long.
DATABASE_BACK_S = 15.0


@dataclass(frozen=True, kw_only=True)
class Figures:
    """`began_at`: when the load began, seconds since 1970. `unsettled`: what was not, when its time was over."""

    began_at: float
    said: Sequence[Said]
    verdict: Verdict
    felt: Sequence[Felt]
    held: Sequence[Fact]
    unsettled: Sequence[Fact]
    uncertain_settled: int
    settled_s: float

    @property
    def sign_up_p99_ms(self) -> float:
        return percentile(
            [said.took_s * 1000 for said in self.said if said.word is Word.DONE and said.kind == "welcome"], 0.99
        )

    @property
    def max_recovery_s(self) -> float:
        return max((felt.recovery_s for felt in self.felt), default=0.0)


def complaints(figures: Figures) -> Iterator[str]:
    """Say what must not be; nothing if all is well."""
    verdict = figures.verdict
    lists: list[tuple[str, Sequence[Fact]]] = [
        ("lost: people were told that it is done, and no provider has it", verdict.lost),
        ("held: it may never have left, and nothing sends it again", [f for f in figures.held if f[0] in NEVER_HELD]),
        ("not settled in time", figures.unsettled),
    ]
    for what, facts in lists:
        yield from named(what, [f"{kind} to {address}" for kind, address in facts])
    yield from named("doubled without an explanation", [_copy(duplicate) for duplicate in verdict.unexplained])
    unclean = [f"{said.status} for {said.kind} to {said.address}" for said in figures.said if said.word is Word.UNCLEAN]
    yield from named("the site answered neither yes nor a clean 503", unclean)
    twice = [said.address for said in figures.said if said.word is Word.TWICE]
    yield from named("a link that works once saved two passwords", twice)
    yield from named("a double click was taken for two sign-ups", _second_sign_ups(figures))
    if not any(said.word is Word.DONE for said in figures.said):
        yield "nobody was told that it is done"
    yield from named("turned away, and the database was well", [said.address for said in _needlessly(figures)])
    missed = [felt.deed.fault.name for felt in figures.felt if felt.deed.fault.act is Act.TURN and not felt.hit]
    yield from named("harmed nothing", missed)


def _second_sign_ups(figures: Figures) -> list[str]:
    return [address for kind, address in figures.verdict.strays if kind == "account-exists"]


def _needlessly(figures: Figures) -> Iterator[Said]:
    """Yield who got no answer, or was asked to come again, at a time when no database had been harmed."""
    deeds = [felt.deed for felt in figures.felt if felt.deed.fault.target == "postgres"]
    for said in figures.said:
        if said.word is Word.UNKNOWN or said.word is Word.REFUSED:
            excused = any(deed.began_at <= said.at <= deed.ended_at + DATABASE_BACK_S for deed in deeds)
            if not excused:
                yield said


def _copy(duplicate: Duplicate) -> str:
    kind, address = duplicate.fact
    return f"{kind} to {address}, again at {duplicate.provider} {duplicate.accepted_at}, message {duplicate.message_id}"


def named(what: str, things: Sequence[str]) -> Iterator[str]:
    if things:
        more = f" … and {len(things) - MOST_NAMED} more" if len(things) > MOST_NAMED else ""
        yield f"{len(things)} {what}: {'; '.join(things[:MOST_NAMED])}{more}"


def table(figures: Figures) -> str:
    lines = ["", _row("what was done", "at s", "for s", "hit", "turned away", "recovery s", "sign-up p99 ms")]
    for felt in figures.felt:
        deed = felt.deed
        cells = (
            f"{deed.began_at - figures.began_at:.1f}",
            f"{deed.ended_at - deed.began_at:.1f}",
            str(felt.hit),
            str(felt.refused),
            f"{felt.recovery_s:.1f}",
            f"{felt.sign_up_p99_ms:.0f}" if felt.sign_up_p99_ms else "-",
        )
        lines.append(_row(deed.fault.name, *cells))
    return "\n".join([*lines, ""])


def remarks(figures: Figures) -> Iterator[str]:
    words = {word: sum(said.word is word for said in figures.said) for word in Word}
    yield (
        f"People asked {len(figures.said)} times: {words[Word.DONE]} were told that it is done,"
        f" {words[Word.REFUSED]} to come again later (a clean 503), {words[Word.UNKNOWN]} got no answer."
    )
    if strays := figures.verdict.strays:
        yield f"{len(strays)} mails went to people who were not told that it is done."
    for duplicate in figures.verdict.duplicates:
        if duplicate.why:
            kind, address = duplicate.fact
            yield f"A copy of the {kind} to {address} is explained: {duplicate.why}."
    for felt in figures.felt:
        if felt.deed.fault.of_broker and felt.sign_up_p99_ms > SLOW_MS:
            took = f"{felt.sign_up_p99_ms:.0f} ms at the worst while: {felt.deed.fault.name}"
            yield f"Signing up took {took}. On a quiet machine {SLOW_MS:.0f} should do."
    yield f"All was settled {figures.settled_s:.0f} s after the last person had come."


def last_line(figures: Figures, others: Verdict, *, wait_ratio: float) -> str:
    """`others` is the verdict of the second act, whose counts are added; `wait_ratio` is what it measured."""
    verdicts = (figures.verdict, others)
    return (
        f"prove: accepted={sum(one.accepted for one in verdicts)} sent={sum(one.sent for one in verdicts)}"
        f" held={len(figures.held)} lost={sum(len(one.lost) for one in verdicts)}"
        f" duplicated={sum(len(one.duplicates) for one in verdicts)}"
        f" unexplained_duplicates={sum(len(one.unexplained) for one in verdicts)}"
        f" uncertain_settled={figures.uncertain_settled} max_recovery_s={figures.max_recovery_s:.1f}"
        f" sign_up_p99_ms={figures.sign_up_p99_ms:.0f} beside_bad_recipients_ratio={wait_ratio:.2f}"
    )


def programme(harms: Sequence[Harm]) -> Iterator[str]:
    for harm in harms:
        length = f" for {harm.end_s - harm.start_s:.1f} s" if harm.length_s else ""
        yield f"  {harm.start_s:6.1f} s  {harm.fault.name}{length}"


def _row(name: str, *cells: str) -> str:
    widths = (7, 7, 5, 13, 12, 16)
    return f"  {name:<44}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
