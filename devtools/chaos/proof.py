"""One run: send the workload, inject the faults, wait until everything is settled, check."""

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
from devtools.chaos.killer import Killer, lost_answers
from devtools.chaos.nemesis import Nemesis
from devtools.chaos.recovery import InjectedFault, impact_of
from devtools.chaos.report import FaultFigures
from devtools.chaos.rows import Rows
from devtools.chaos.schedule import ScheduledFault
from devtools.chaos.workload import Result, Workload
from devtools.stack.facts import Fact, epoch
from devtools.stack.simulated import Simulated
from devtools.stack.stack import ADMIN_ADDRESS, Stack

PROGRESS_EVERY_S = 5.0
LOOK_EVERY_S = 0.5
# Failed attempts may wait for a minute. A message that is not settled by then is stuck.
SETTLED_WITHIN_S = 150.0


@dataclass(frozen=True, kw_only=True)
class Programme:
    """The number of people, their rate per second, and the faults with their times. `is_short`: a selection."""

    people: int
    rate: float
    seed: int
    schedule: list[ScheduledFault]
    is_short: bool = False


class Proof:
    def __init__(self, stack: Stack, say: Callable[[str], None]) -> None:
        self.stack = stack
        self.say = say
        self.simulated = Simulated(stack.simulator_url, stack.folder / "simulator")
        self.workload = Workload(stack.site_url, stack.folder / "clients.jsonl", self.simulated.reset_link)
        self.killer = Killer(stack.supervisor, self.simulated, stack.folder / "killer.jsonl")
        self.nemesis = Nemesis(stack, self.simulated, self.killer)
        self.rows = Rows(stack.environment["DATABASE_URL"])
        self.injected: list[InjectedFault] = []
        self.began_at = 0.0
        self._reported_at = 0.0

    def run(self, programme: Programme) -> FaultFigures:
        """Run the programme. Raises what `Nemesis.inject` raises, and psycopg.OperationalError."""
        for provider in PROVIDERS:
            self.simulated.set_controls(provider, seed=programme.seed, **CONTROLS)
        self.began_at = time.time()
        self.workload.start(programme.people, programme.rate)
        for planned in programme.schedule:
            self._inject(planned)
        self._wait_until(self.began_at + programme.people / programme.rate)
        self.workload.wait()
        self._report_progress("all requests sent; waiting until everything is settled")
        over_at = time.time()
        unsettled = self._settle(over_at + SETTLED_WITHIN_S)
        return self._figures(unsettled, settled_s=time.time() - over_at)

    def _inject(self, planned: ScheduledFault) -> None:
        self._wait_until(self.began_at + planned.start_s)
        self._report_progress(f"{planned.fault.name} …")
        began_at = time.time()
        with self.nemesis.inject(planned.fault):
            self._wait_until(time.time() + planned.length_s)
        self.injected.append(InjectedFault(fault=planned.fault, began_at=began_at, ended_at=time.time()))
        self._report_progress(f"{planned.fault.name}: over after {time.time() - began_at:.1f} s")

    def _wait_until(self, moment: float) -> None:
        while (left_s := moment - time.time()) > 0:
            time.sleep(min(left_s, LOOK_EVERY_S))
            if time.time() - self._reported_at >= PROGRESS_EVERY_S:
                self._report_progress()

    def _settle(self, give_up_at: float) -> list[Fact]:
        """Wait until everything is settled. Return the facts that are not when the time is over."""
        while True:
            try:
                unsettled = self.rows.unsettled()
                if not unsettled or time.time() > give_up_at:
                    return unsettled
            except psycopg.OperationalError:
                if time.time() > give_up_at:
                    raise
            self._wait_until(time.time() + LOOK_EVERY_S)

    def _report_progress(self, what: str = "") -> None:
        self._reported_at = time.time()
        accepted = "?"
        # On a busy machine the simulator may answer late, which must not end the run.
        with suppress(requests.RequestException):
            accepted = str(self.simulated.stats()["accepted"])
        acknowledged, rejected = (self.workload.count(result) for result in (Result.ACKNOWLEDGED, Result.REJECTED))
        counts = f"acknowledged {acknowledged}  accepted {accepted}  rejected {rejected}"
        self.say(f"{self._reported_at - self.began_at:6.1f} s  {counts:<52}{what}".rstrip())

    def _figures(self, unsettled: list[Fact], *, settled_s: float) -> FaultFigures:
        journal = [entry for entry in reversed(self.simulated.messages()) if entry["to"] != ADMIN_ADDRESS]
        calls, lost = self.simulated.calls(), dict(lost_answers(self.killer.lines))
        operations = list(self.workload.operations)
        accepted_at = self._accepted_at(journal)
        promises = promised(operations)
        figures = FaultFigures(
            began_at=self.began_at,
            operations=operations,
            verdict=judge({one.fact for one in promises}, journal, lost),
            impacts=[
                impact_of(injected, operations, promises, accepted_at, calls, lost.keys()) for injected in self.injected
            ],
            held=[*self.rows.held().values()],
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

    def _accepted_at(self, journal: list[dict[str, Any]]) -> dict[Fact, float]:
        # When a provider accepted the first copy of each fact.
        accepted: dict[Fact, float] = {}
        for entry in journal:
            accepted.setdefault(fact_of(entry), epoch(entry["accepted_at"]))
        return accepted
