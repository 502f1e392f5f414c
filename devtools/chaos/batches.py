"""Part 3 of a run: bulk email in batches, while the provider fails, refuses a recipient, and workers are killed."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from devtools.chaos.checker import Verdict, fact_of, judge
from devtools.chaos.conditions import Setting
from devtools.chaos.held import unexplained
from devtools.chaos.killer import Killer, lost_answers
from devtools.chaos.report import about, copy_of, itemized
from devtools.chaos.rows import Rows
from devtools.stack.facts import OTHER, Fact
from devtools.stack.simulated import Simulated
from devtools.stack.stack import ADMIN_ADDRESS, Stack

PROVIDER = "sendgrid"
LATENCY_MS = 700
READERS, BATCH = 300, 100
# A task may have fewer messages, but some call must have this many recipients.
LEAST = 50
# The provider refuses the whole call because of one of these readers.
INVALID, INVALID_EVERY = "invalid", 75
SETTLED_WITHIN_S = 90.0
# What the provider does, and its controls.
FAULTS: Mapping[str, Mapping[str, float | str]] = {
    "no fault": {},
    "accepts, then disconnects": {"fault": "cut_after", "fault_next": 2},
    "disconnects without accepting": {"fault": "cut_before", "fault_next": 1},
    "accepts, sends half an answer": {"fault": "truncate", "fault_next": 2},
    "answers 413": {"fail_next": 2, "error_status": 413},
    "answers 429": {"fail_next": 2, "error_status": 429},
    "answers 503": {"fail_next": 2, "error_status": 503},
}
# The faults, and the workers to kill.
LONG = ([*FAULTS], ["worker-bulk", "worker-main"])
SHORT = (["accepts, then disconnects", "answers 413"], ["worker-bulk"])
MAKE_READERS = """
from django.utils import timezone
from accounts.models import User
User.objects.update(wants_news=False)
agreed = {{"password": "!", "confirmed_at": timezone.now(), "wants_news": True}}
User.objects.bulk_create(User(email=address, **agreed) for address in {addresses!r})
"""


@dataclass(frozen=True, kw_only=True)
class BatchFigures:
    """`largest`: the most recipients of one call. `in_hand`: messages of the killed workers.

    `held_without_cause`: held, though no answer was lost and no worker killed.
    """

    verdict: Verdict
    largest: int
    in_hand: int
    held: Sequence[Fact]
    held_without_cause: Sequence[Fact]
    unsettled: Sequence[Fact]
    dead: Sequence[Fact]


def settings() -> list[Setting]:
    why = "one provider that has batches, and rates that fill them"
    values = {
        "EMAIL_PROVIDERS": PROVIDER,
        "EMAIL_RATE": f"{PROVIDER}=2000",
        "EMAIL_STREAM_RATES": "bulk=2000",
        "EMAIL_BATCH_SIZE": str(BATCH),
    }
    return [Setting(name=name, value=value, why=why) for name, value in values.items()]


def readers(step: int) -> list[str]:
    names = [INVALID if number % INVALID_EVERY == 1 else "reader" for number in range(READERS)]
    return [f"{name}{number}-{step}@example.com" for number, name in enumerate(names)]


class Batches:
    def __init__(self, stack: Stack, say: Callable[[str], None]) -> None:
        self.stack = stack
        self.say = say
        self.simulated = Simulated(stack.simulator_url, stack.folder / "simulator")
        self.killer = Killer(stack.supervisor, self.simulated, stack.folder / "killer.jsonl")
        self.rows = Rows(stack.environment["DATABASE_URL"])
        self.promised: set[Fact] = set()
        # The addresses of those who got news while a worker was killed.
        self.at_kills: set[str] = set()
        self._steps = count(1)

    def run(self, programme: tuple[Sequence[str], Sequence[str]]) -> BatchFigures:
        """Announce once per fault and once per killed worker, each to other readers."""
        faults, workers = programme
        self.simulated.set_controls(PROVIDER, latency_ms=LATENCY_MS, retry_after_s=1)
        for what in faults:
            self.say(f"{READERS} readers get news: {PROVIDER} {what} …")
            self.simulated.set_controls(PROVIDER, **FAULTS[what])
            self._announce()
            self._settle()
        for worker in workers:
            self.say(f"{READERS} readers get news: {worker} is killed …")
            self.at_kills.update(self._announce())
            self.killer.kill(worker, wait_mid_call=True)
            self._settle()
        return self._figures(self._settle())

    def _announce(self) -> list[str]:
        step = next(self._steps)
        addresses = readers(step)
        self.stack.manage("shell", "-v", "0", "-c", MAKE_READERS.format(addresses=addresses))
        self.stack.manage("announce", f"step-{step}", "--headline", "What is new", "--text", "Nothing, really.")
        self.promised |= {(OTHER, address) for address in addresses if not address.startswith(INVALID)}
        return addresses

    def _settle(self) -> list[Fact]:
        """Wait until everything is settled. Return what is not when the time is over."""
        give_up_at = time.monotonic() + SETTLED_WITHIN_S
        while (waiting := self.rows.unsettled()) and time.monotonic() < give_up_at:
            time.sleep(0.5)
        return waiting

    def _figures(self, unsettled: list[Fact]) -> BatchFigures:
        journal = [entry for entry in reversed(self.simulated.messages()) if entry["to"] != ADMIN_ADDRESS]
        held, calls = self.rows.held(), self.simulated.calls()
        facts = [*held.values()]
        return BatchFigures(
            verdict=judge(self.promised - unaccepted(facts, journal), journal, dict(lost_answers(self.killer.lines))),
            largest=max((len(call["batch"]) for call in calls), default=0),
            in_hand=sum(len(line["messages"]) for line in self.killer.lines),
            held=facts,
            held_without_cause=unexplained(held, calls, self.killer.lines, at_kills=self.at_kills),
            unsettled=unsettled,
            dead=self.rows.dead(),
        )


def unaccepted(held: Sequence[Fact], journal: Sequence[Mapping[str, Any]]) -> set[Fact]:
    """Return the held facts that no provider has accepted: an at-most-once email is not sent again."""
    return set(held) - {fact_of(entry) for entry in journal}


def complaints(figures: BatchFigures) -> Iterator[str]:
    refused = [fact for fact in figures.dead if not fact[1].startswith(INVALID)]
    facts: list[tuple[str, Sequence[Fact]]] = [
        ("lost in batches", figures.verdict.lost),
        ("not settled in time in batches", figures.unsettled),
        ("held, though no answer was lost and no worker killed", figures.held_without_cause),
        ("dead because of another recipient of the batch", refused),
    ]
    for what, found in facts:
        yield from itemized(what, [about(fact) for fact in found])
    copies = [copy_of(duplicate) for duplicate in figures.verdict.duplicates]
    yield from itemized("at-most-once emails sent twice in batches", copies)
    if figures.largest < LEAST:
        yield f"no call had {LEAST} recipients; the largest had {figures.largest}"
    if not figures.in_hand:
        yield "no worker was killed during a batch"


def summary(figures: BatchFigures) -> str:
    return (
        f"In batches of up to {figures.largest} recipients, {figures.verdict.sent} of {figures.verdict.accepted} emails"
        f" were accepted; {len(figures.dead)} addresses were invalid, {len(figures.held)} emails are held because no"
        f" report settled them, and the killed workers had {figures.in_hand} messages in hand."
    )
