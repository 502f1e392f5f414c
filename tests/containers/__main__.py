"""`python -m tests.containers [--short]`: prints each step, and at the end one line with the result."""

import argparse
import contextlib
import fcntl
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from devtools.chaos.workload import Result
from devtools.stack.facts import percentile
from devtools.stack.interruption import interrupt_once
from tests.containers.crowd import Crowd
from tests.containers.engine import Engine, EngineError, RunningEngine
from tests.containers.scenario import Outcome, Scenario, wait_until
from tests.containers.site import Site
from tests.containers.unpacked import UnpackedEngine
from tests.containers.verdict import InboxVerdict, judge

# Includes a lease of a minute, a circuit's pauses and a busy machine.
ARRIVES_WITHIN_S = 240
RESENT = (
    "SELECT to_address, sum(uncertain_resends) FROM notifications_message GROUP BY 1 HAVING sum(uncertain_resends) > 0"
)
BEGAN = time.monotonic()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make containers")
    parser.add_argument("--short", action="store_true", help="a selection of faults, for CI")
    options = parser.parse_args()
    # Kept between runs: unpacked systems and built layers.
    folder = Path(os.environ.get("CONTAINERS_FOLDER") or Path(tempfile.gettempdir()) / "mailroom-containers")
    interrupt_once()
    running = RunningEngine.is_there()
    if not running and (reason := UnpackedEngine.why_not()):
        print(f"Skipped the test of the containers: {reason}.")
        return 0 if os.environ.get("CI") else 1
    with alone(folder):
        engine: Engine = RunningEngine(folder / "shared") if running else UnpackedEngine(folder)
        try:
            return prove(engine, folder, short=options.short)
        except (EngineError, KeyboardInterrupt) as error:
            say(str(error) or "interrupted")
            print("containers: not finished")
            return 1
        finally:
            engine.end()


def prove(engine: Engine, folder: Path, *, short: bool) -> int:
    site = prepare(engine)
    crowd = Crowd(site, site.start_proxy(), folder / "people.jsonl")
    scenario = Scenario(site, crowd, say, short=short)
    try:
        site.configure()
        site.compose("up", "-d")
        say(f"all healthy after {site.wait_healthy():.0f} s")
        scenario.play()
        verdict = wait_for_arrivals(site, crowd)
        return report(verdict, crowd, scenario.outcome)
    finally:
        crowd.leave()
        with contextlib.suppress(EngineError):
            site.remove_proxy()
            site.compose("down", "-v", "--timeout", "10")


def prepare(engine: Engine) -> Site:
    if isinstance(engine, UnpackedEngine):
        engine.unpack()
        say("engine unpacked")
    engine.shared.mkdir(parents=True, exist_ok=True)
    engine.start_for_building()
    site = Site(engine)
    site.copy_checkout()
    site.build()
    say("images built")
    engine.start_for_running()
    site.configure()
    with contextlib.suppress(EngineError):
        site.compose("down", "-v", "--timeout", "5")
    return site


def wait_for_arrivals(site: Site, crowd: Crowd) -> InboxVerdict:
    def verdict() -> InboxVerdict:
        return judge(crowd.operations(), site.inbox(), {address: int(count) for address, count in site.sql(RESENT)})

    wait_until(lambda: not verdict().lost, ARRIVES_WITHIN_S)
    return verdict()


def report(verdict: InboxVerdict, crowd: Crowd, outcome: Outcome) -> int:
    results = [one.result for one in crowd.operations()]
    for address in (*verdict.lost, *verdict.unexplained):
        say(f"lost or duplicated: {address}")
    figures = {
        "accepted": verdict.accepted,
        "lost": len(verdict.lost),
        "doubled": verdict.doubled,
        "unexplained_duplicates": len(verdict.unexplained),
        "refused": results.count(Result.REJECTED) + results.count(Result.UNKNOWN),
        "unclean": results.count(Result.UNEXPECTED),
        "checks_passed": outcome.passed,
        "checks_failed": len(outcome.failed),
        **{name: f"{value:.1f}" for name, value in outcome.figures.items()},
        "wait_p50_s": f"{percentile(verdict.waits_s, 0.5):.1f}",
        "wait_max_s": f"{percentile(verdict.waits_s, 1):.1f}",
    }
    print("containers: " + " ".join(f"{name}={value}" for name, value in figures.items()), flush=True)
    bad = verdict.lost or verdict.unexplained or outcome.failed or Result.UNEXPECTED in results or not verdict.accepted
    return 1 if bad else 0


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other run uses the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def say(text: str) -> None:
    print(f"{time.monotonic() - BEGAN:6.1f} s  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
