"""One run: the load, the harm, the settling, and what came of it."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import requests

from devtools.chaos import history
from devtools.chaos.checker import fact_of, judge, promised
from devtools.chaos.conditions import CONTROLS, PROVIDERS
from devtools.chaos.killer import Killer, named
from devtools.chaos.nemesis import Hands
from devtools.chaos.recovery import Deed, felt
from devtools.chaos.report import Figures
from devtools.chaos.rows import Rows
from devtools.chaos.schedule import Harm
from devtools.chaos.workload import Load, Word
from devtools.stack.facts import Fact, epoch
from devtools.stack.simulated import Simulated
from devtools.stack.stack import ADMIN_ADDRESS, Stack

TELL_EVERY_S = 5.0
LOOK_EVERY_S = 0.5
# Failed attempts may wait for a minute; what then is not settled never will be.
SETTLED_WITHIN_S = 150.0


@dataclass(frozen=True, kw_only=True)
class Programme:
    """So many people, so many a second, and what is done meanwhile."""

    people: int
    rate: float
    seed: int
    harms: list[Harm]


class Proof:
    def __init__(self, stack: Stack, say: Callable[[str], None]) -> None:
        self.stack = stack
        self.say = say
        self.simulated = Simulated(stack.simulator_url, stack.folder / "simulator")
        self.load = Load(stack.site_url, stack.folder / "clients.jsonl", self.simulated.reset_link)
        self.killer = Killer(stack.supervisor, self.simulated, stack.folder / "killer.jsonl")
        self.hands = Hands(stack, self.simulated, self.killer)
        self.rows = Rows(stack.environment["DATABASE_URL"])
        self.deeds: list[Deed] = []
        self.began_at = 0.0
        self._told_at = 0.0

    def run(self, programme: Programme) -> Figures:
        """Raises what `Hands.harm` raises, and psycopg.OperationalError if the database never came back."""
        for provider in PROVIDERS:
            self.simulated.set_controls(provider, seed=programme.seed, **CONTROLS)
        self.began_at = time.time()
        self.load.start(programme.people, programme.rate)
        for harm in programme.harms:
            self._harm(harm)
        self._wait_until(self.began_at + programme.people / programme.rate)
        self.load.wait()
        self._tell("everybody has been there; now the dust settles")
        over_at = time.time()
        unsettled = self._settle(over_at + SETTLED_WITHIN_S)
        return self._figures(unsettled, settled_s=time.time() - over_at)

    def _harm(self, harm: Harm) -> None:
        self._wait_until(self.began_at + harm.start_s)
        self._tell(f"{harm.fault.name} …")
        began_at = time.time()
        with self.hands.harm(harm.fault):
            self._wait_until(time.time() + harm.length_s)
        self.deeds.append(Deed(fault=harm.fault, began_at=began_at, ended_at=time.time()))
        self._tell(f"{harm.fault.name}: over after {time.time() - began_at:.1f} s")

    def _wait_until(self, moment: float) -> None:
        while (left_s := moment - time.time()) > 0:
            time.sleep(min(left_s, LOOK_EVERY_S))
            if time.time() - self._told_at >= TELL_EVERY_S:
                self._tell()

    def _settle(self, give_up_at: float) -> list[Fact]:
        """Return what is not settled when the time is over: nothing, if all goes well."""
        while True:
            try:
                unsettled = self.rows.unsettled()
                if not unsettled or time.time() > give_up_at:
                    return unsettled
            except psycopg.OperationalError:
                if time.time() > give_up_at:
                    raise
            self._wait_until(time.time() + LOOK_EVERY_S)

    def _tell(self, what: str = "") -> None:
        self._told_at = time.time()
        taken = "?"
        # A busy machine may let it answer late; a line of progress is not worth the run.
        with suppress(requests.RequestException):
            taken = str(self.simulated.stats()["accepted"])
        told, refused = self.load.count(Word.DONE), self.load.count(Word.REFUSED)
        line = f"{self._told_at - self.began_at:6.1f} s  told {told}  taken {taken}  turned away {refused}"
        self.say(f"{line:<58}{what}".rstrip())

    def _figures(self, unsettled: list[Fact], *, settled_s: float) -> Figures:
        journal = [entry for entry in reversed(self.simulated.messages()) if entry["to"] != ADMIN_ADDRESS]
        calls, names = self.simulated.calls(), dict(named(self.killer.lines))
        said = list(self.load.said)
        taken_at = self._taken_at(journal)
        kept = promised(said)
        figures = Figures(
            began_at=self.began_at,
            said=said,
            verdict=judge({one.fact for one in kept}, journal, names),
            felt=[felt(deed, said, kept, taken_at, calls, names.keys()) for deed in self.deeds],
            held=self.rows.held(),
            unsettled=unsettled,
            uncertain_settled=self.rows.uncertain_settled(),
            settled_s=settled_s,
        )
        history.write(
            self.stack.folder / "report.json",
            figures,
            journal=journal,
            calls=calls,
            killer=self.killer.lines,
            rows=self.rows,
        )
        return figures

    def _taken_at(self, journal: list[dict[str, Any]]) -> dict[Fact, float]:
        """Return when the first copy of each fact was taken."""
        taken: dict[Fact, float] = {}
        for entry in journal:
            taken.setdefault(fact_of(entry), epoch(entry["accepted_at"]))
        return taken
