"""Part 2 of a run: recipients with a working mail server, next to greylisting servers and full mailboxes."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from devtools.chaos.checker import Verdict, fact_of, judge
from devtools.chaos.conditions import Setting
from devtools.chaos.report import about, itemized
from devtools.chaos.rows import Rows
from devtools.chaos.workload import Operation, Result, Workload
from devtools.stack.facts import Fact, epoch, percentile
from devtools.stack.ports import HOST
from devtools.stack.simulated import Simulated
from devtools.stack.stack import ADMIN_ADDRESS, Stack

PROVIDER = "smtp"
LATENCY_MS = 700
GREYLIST_S = 12.0
# How long the provider refuses everything because the account is suspended.
SUSPENDED_S = 5.0
SETTLED_WITHIN_S = 150.0
# Next to bad recipients, others may wait at most this many times as long.
MOST_TIMES_LONGER = 2.0
FULL, GREYLISTED = "full", "greylisted"


@dataclass(frozen=True, kw_only=True)
class RecipientFigures:
    """Waits are from the site's response to the provider's acceptance. `dead`: facts of dead letters."""

    verdict: Verdict
    alone_p99_s: float
    beside_p99_s: float
    refused: int
    suspended: int
    unsettled: Sequence[Fact]
    dead: Sequence[Fact]
    operations: Sequence[Operation]

    @property
    def ratio(self) -> float:
        return self.beside_p99_s / self.alone_p99_s if self.alone_p99_s else 0.0


def settings(smtp_port: int) -> list[Setting]:
    why = "only SMTP servers answer for each recipient"
    values = {
        "EMAIL_PROVIDERS": PROVIDER,
        "SMTP_URL": f"smtp://{HOST}:{smtp_port}",
        "SIMULATOR_SMTP_PORT": str(smtp_port),
        "EMAIL_RATE": f"{PROVIDER}=100",
    }
    return [Setting(name=name, value=value, why=why) for name, value in values.items()]


def alone(number: int) -> str:
    return f"alone{number}@example.com"


def beside(number: int) -> str:
    # Even numbers have a working server. Of the odd ones, half are greylisted and half are full.
    if number % 2 == 0:
        return f"beside{number}@example.com"
    return f"{FULL if number % 4 == 1 else GREYLISTED}{number}@bad.example.org"


def later(number: int) -> str:
    return f"later{number}@example.com"


class Recipients:
    def __init__(self, stack: Stack, say: Callable[[str], None]) -> None:
        self.stack = stack
        self.say = say
        self.simulated = Simulated(stack.simulator_url, stack.folder / "simulator")
        self.rows = Rows(stack.environment["DATABASE_URL"])
        self.workloads: list[Workload] = []

    def run(self, people: int, rate: float) -> RecipientFigures:
        """Send three workloads: to working servers, to half working servers, from a suspended account."""
        self.simulated.set_controls(PROVIDER, latency_ms=LATENCY_MS, greylist_s=GREYLIST_S)
        self._visit("working mail servers only", people, rate, alone)
        before = self._refused()
        self._visit("working, greylisting and full mail servers", people, rate, beside)
        refused = self._refused() - before
        self.simulated.set_controls(PROVIDER, fault="suspended", fault_rate=1)
        before = self._refused()
        self._visit("the account is suspended", int(SUSPENDED_S * rate), rate, later)
        suspended = self._refused() - before
        self.simulated.set_controls(PROVIDER, fault="none", fault_rate=0)
        return self._figures(refused=refused, suspended=suspended)

    def stop(self) -> None:
        for workload in self.workloads:
            workload.stop()

    def _visit(self, what: str, people: int, rate: float, address_of: Callable[[int], str]) -> None:
        self.say(f"{people} people sign up, {rate:.1f} per second: {what} …")
        workload = Workload(self.stack.site_url, self.stack.folder / "clients.jsonl")
        self.workloads.append(workload)
        workload.start(people, rate, address_of)
        workload.wait()

    def _refused(self) -> int:
        return int(self.simulated.stats()["refused"])

    def _figures(self, *, refused: int, suspended: int) -> RecipientFigures:
        operations = [one for workload in self.workloads for one in workload.operations]
        promised = {
            one.fact for one in operations if one.result is Result.ACKNOWLEDGED and not one.address.startswith(FULL)
        }
        journal = self._settled(promised)
        accepted = {fact_of(entry): epoch(entry["accepted_at"]) for entry in reversed(journal)}
        return RecipientFigures(
            verdict=judge(promised, journal, {}),
            alone_p99_s=_p99(operations, accepted, "alone"),
            beside_p99_s=_p99(operations, accepted, "beside"),
            refused=refused,
            suspended=suspended,
            unsettled=[fact for fact in self.rows.unsettled() if not fact[1].startswith(FULL)],
            dead=self.rows.dead(),
            operations=operations,
        )

    def _settled(self, promised: set[Fact]) -> list[dict[str, Any]]:
        """Wait until every deliverable email is accepted. Return the journal, oldest first."""
        give_up_at = time.time() + SETTLED_WITHIN_S
        while True:
            journal = [entry for entry in reversed(self.simulated.messages()) if entry["to"] != ADMIN_ADDRESS]
            waiting = [fact for fact in self.rows.unsettled() if not fact[1].startswith(FULL)]
            if (promised <= {fact_of(entry) for entry in journal} and not waiting) or time.time() > give_up_at:
                return journal
            time.sleep(0.5)


def complaints(figures: RecipientFigures) -> Iterator[str]:
    verdict = figures.verdict
    facts: list[tuple[str, Sequence[Fact]]] = [
        ("lost next to bad recipients", verdict.lost),
        ("not settled in time next to bad recipients", figures.unsettled),
        ("dead after a temporary rejection", figures.dead),
        ("duplicated without an explanation next to bad recipients", [one.fact for one in verdict.unexplained]),
    ]
    for what, found in facts:
        yield from itemized(what, [about(fact) for fact in found])
    rejected = [one.address for one in figures.operations if one.result is not Result.ACKNOWLEDGED]
    yield from itemized("rejected next to bad recipients", rejected)
    if figures.ratio > MOST_TIMES_LONGER:
        yield (
            f"people with a working server waited {figures.beside_p99_s:.2f} s (p99) next to bad recipients and"
            f" {figures.alone_p99_s:.2f} s without them; expected at most {MOST_TIMES_LONGER:g} times as long"
        )
    if not figures.refused or not figures.suspended:
        yield "a fault had no effect: the mail servers rejected no recipient, or the suspended account no email"


def summary(figures: RecipientFigures) -> str:
    return (
        f"People with a working mail server waited {figures.alone_p99_s:.2f} s (p99) without other recipients and"
        f" {figures.beside_p99_s:.2f} s next to {figures.refused} rejections by greylisting servers and full mailboxes."
        f" A suspended account caused {figures.suspended} rejections; {len(figures.dead)} messages are dead."
    )


def _p99(operations: Sequence[Operation], accepted: dict[Fact, float], start: str) -> float:
    waits = [
        max(0.0, accepted[one.fact] - one.at)
        for one in operations
        if one.result is Result.ACKNOWLEDGED and one.address.startswith(start) and one.fact in accepted
    ]
    return percentile(waits, 0.99)
