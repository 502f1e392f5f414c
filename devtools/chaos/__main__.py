"""Start a stack, send the workload, inject faults, check the result."""

import argparse
import os
import random
import shutil
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis
import requests

from config.environment import BASE_DIR
from devtools.chaos import batches, recipients
from devtools.chaos.conditions import CONTROLS, Setting, announced, kept_environment, settings
from devtools.chaos.faults import FAULTS
from devtools.chaos.proof import Programme, Proof
from devtools.chaos.report import FaultFigures, complaints, last_line, programme, remarks, table
from devtools.chaos.schedule import SHORT_S, left_out, needed_s, plan, plan_short
from devtools.stack.console import Tee
from devtools.stack.interruption import interrupt_once
from devtools.stack.ports import HOST, free_port
from devtools.stack.server import ServerError
from devtools.stack.stack import Ports, Stack, StackError
from devtools.stack.supervision import Supervisor, SupervisorError

FOLDER = BASE_DIR / ".local" / "prove"
PEOPLE, PEOPLE_SHORT = 1000, 300
# People per second: slow enough that all faults fit, and fast enough that every fault affects requests.
FASTEST, SLOWEST = 10.0, 1.75
SEEDS = 10_000
# The recipients' part: each of its three steps has this share of the people, but enough for a p99.
RECIPIENTS_FOLDER = FOLDER / "recipients"
BATCHES_FOLDER = FOLDER / "batches"
RECIPIENTS_SHARE, LEAST_RECIPIENTS, RECIPIENTS_RATE = 4, 120, 6.0
# Failures of the run itself.
FAILURES = (
    *(StackError, SupervisorError, ServerError),
    *(requests.RequestException, redis.RedisError, psycopg.OperationalError),
)


def main(arguments: list[str]) -> int:
    chosen = programme_of(arguments)
    interrupted = interrupt_once()
    for folder in (FOLDER, RECIPIENTS_FOLDER, BATCHES_FOLDER):
        Supervisor(folder).stop()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(mode=stat.S_IRWXU, parents=True)
    say = Tee(FOLDER / "report.txt")
    try:
        return report(
            say,
            run_faults(say, chosen, interrupted),
            run_recipients(say, chosen, interrupted),
            run_batches(say, chosen, interrupted),
        )
    except FAILURES as error:
        say(f"The run failed: {type(error).__name__}: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


def run_faults(say: Tee, chosen: Programme, interrupted: threading.Event) -> FaultFigures:
    """Inject the faults while people sign up. Two providers send the emails."""
    ports = Ports(web=free_port(), flower=free_port(), simulator=free_port())
    conditions = settings(f"http://{HOST}:{ports.simulator}")
    stack = Stack(FOLDER, ports, kept_environment(os.environ) | {setting.name: setting.value for setting in conditions})
    announce(say, chosen, [*announced(conditions, stack.environment)])
    proof = Proof(stack, say)
    with running(stack, proof.workload.stop, say, interrupted):
        return proof.run(chosen)


def run_recipients(say: Tee, chosen: Programme, interrupted: threading.Event) -> recipients.RecipientFigures:
    """Sign up people with a working mail server, next to people whose server rejects."""
    say("\nPart 2: the recipients' mail servers. Its settings, in addition to those of part 1:")
    stack = another_stack(say, RECIPIENTS_FOLDER, recipients.settings(free_port()))
    act = recipients.Recipients(stack, say)
    with running(stack, act.stop, say, interrupted):
        return act.run(max(chosen.people // RECIPIENTS_SHARE, LEAST_RECIPIENTS), RECIPIENTS_RATE)


def run_batches(say: Tee, chosen: Programme, interrupted: threading.Event) -> batches.BatchFigures:
    """Send news in batches during faults."""
    say("\nPart 3: batches of bulk email. Its settings, in addition to those of part 1:")
    stack = another_stack(say, BATCHES_FOLDER, batches.settings())
    act = batches.Batches(stack, say)
    with running(stack, lambda: None, say, interrupted):
        return act.run(batches.SHORT if chosen.is_short else batches.LONG)


def another_stack(say: Tee, folder: Path, conditions: list[Setting]) -> Stack:
    """Return a stack with the settings of part 1, changed by these."""
    say("\n".join(f"  {setting}" for setting in conditions))
    ports = Ports(web=free_port(), flower=free_port(), simulator=free_port())
    given = [*settings(f"http://{HOST}:{ports.simulator}"), *conditions]
    return Stack(folder, ports, kept_environment(os.environ) | {setting.name: setting.value for setting in given})


@contextmanager
def running(stack: Stack, stop_workload: Callable[[], None], say: Tee, interrupted: threading.Event) -> Iterator[None]:
    """Run a stack until the block ends, and delete its databases. A second Ctrl-C does not interrupt the stop."""
    try:
        stack.start(say=say)
        yield
    finally:
        before = interrupted.is_set()
        interrupted.set()
        stop_workload()
        stack.destroy()
        if not before:
            interrupted.clear()


def programme_of(arguments: list[str]) -> Programme:
    parser = argparse.ArgumentParser(prog="python -m devtools.chaos", description=__doc__)
    parser.add_argument("--people", type=int, help=f"{PEOPLE}, or {PEOPLE_SHORT} with --short")
    parser.add_argument("--seed", type=int, help="of the schedule and the providers; random by default")
    parser.add_argument("--short", action="store_true", help=f"a selection of faults in {SHORT_S:.0f} s")
    given = parser.parse_args(arguments)
    usual = PEOPLE_SHORT if given.short else PEOPLE
    people = usual if given.people is None else given.people
    seed = random.randrange(SEEDS) if given.seed is None else given.seed  # noqa: S311 - guards nothing
    if people < 1:
        parser.error("--people must be at least 1")
    if given.short:
        return Programme(people=people, rate=people / SHORT_S, seed=seed, schedule=plan_short(seed), is_short=True)
    rate = min(FASTEST, max(SLOWEST, people / needed_s(FAULTS)))
    return Programme(people=people, rate=rate, seed=seed, schedule=plan(seed, people / rate, FAULTS))


def announce(say: Tee, chosen: Programme, conditions: list[str]) -> None:
    say(f"Part 1: {chosen.people} people sign up, {chosen.rate:.1f} per second, during faults. SEED={chosen.seed}\n")
    say("Settings of this run:")
    say("\n".join(f"  {line}" for line in conditions))
    controls = " ".join(f"{name}={value}" for name, value in CONTROLS.items())
    say(f"  controls of the simulated providers: {controls}  (slow, so that calls are in progress; ample quota)\n")
    say("Faults, in seconds from the first sign-up:")
    say("\n".join(programme(chosen.schedule)))
    names = [fault.name for fault in left_out(chosen.schedule, FAULTS)]
    say(f"Left out for lack of time, {len(names)} of {len(FAULTS)}: {', '.join(names)}\n" if names else "")


def report(say: Tee, figures: FaultFigures, others: recipients.RecipientFigures, bulk: batches.BatchFigures) -> int:
    say(table(figures))
    for line in remarks(figures):
        say(line)
    say(recipients.summary(others))
    say(batches.summary(bulk))
    wrong = [*complaints(figures), *recipients.complaints(others), *batches.complaints(bulk)]
    for line in wrong:
        say(f"FAILED: {line}")
    say(f"Full report: {FOLDER.relative_to(BASE_DIR)}/report.json. In the same folder: log/, clients.jsonl (requests),")
    say("killer.jsonl (killed and frozen processes), simulator/journal.jsonl (accepted emails).")
    say(last_line(figures, others.verdict, bulk.verdict, wait_ratio=others.ratio))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
