"""Measure the response times of sign-up during broker faults, and whether all emails arrive.

Starts a stack with the shipped settings and a faulty broker, on free ports and in a fresh folder. People sign up at a
steady pace, even if earlier requests are still waiting.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import requests

from devtools.benchmarks.faulty_broker import FaultyBroker
from devtools.stack.console import say
from devtools.stack.facts import percentile
from devtools.stack.ports import free_port
from devtools.stack.site_client import SiteClient
from devtools.stack.stack import Ports, Stack

SIGN_UPS = 150
PACE_S = 0.1
TARGET_MS = 300.0
ARRIVES_WITHIN_S = 120.0
PROVIDER_MS = 200


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The effects of a fault. `first_s` and `last_s`: provider calls, counted from the end of the fault."""

    name: str
    waits_ms: list[float]
    arrived: int
    first_s: float
    last_s: float

    def at(self, share: float) -> float:
        return percentile(self.waits_ms, share)

    def line(self, well: "Seen | None") -> str:
        p50, p99 = statistics.median(self.waits_ms), self.at(0.99)
        ratio = f" ({p50 / statistics.median(well.waits_ms):.1f}x, {p99 / well.at(0.99):.1f}x)" if well else ""
        return (
            f"{self.name:10} p50={p50:.0f} ms p99={p99:.0f} ms worst={max(self.waits_ms):.0f} ms{ratio}"
            f"  arrived={self.arrived}/{len(self.waits_ms)} first={self.first_s:.1f} s last={self.last_s:.1f} s"
        )


def main(arguments: list[str]) -> int:
    count = int(arguments[0]) if arguments else SIGN_UPS
    wanted = arguments[1:]
    with tempfile.TemporaryDirectory() as folder, FaultyBroker(Path(folder) / "broker") as broker:
        ports = Ports(web=free_port(), flower=free_port(), simulator=free_port())
        stack = Stack(Path(folder) / "stack", ports, {**os.environ, "REDIS_URL": broker.url})
        with stack.running(say):
            url = f"{stack.simulator_url}/api/controls"
            requests.put(url, json={"latency_ms": PROVIDER_MS}, timeout=10).raise_for_status()
            faults = {name: fault for name, fault in broker.faults.items() if not wanted or name in wanted}
            return measure(stack, faults, count)


def measure(stack: Stack, faults: Mapping[str, Callable[[], AbstractContextManager[None]]], count: int) -> int:
    crowd(stack, "warm-up", 20)
    well = watch(stack, "well", nullcontext(), count)
    say(well.line(None))
    seen = [well]
    for name, fault in faults.items():
        seen.append(watch(stack, name, fault(), count))
        say(seen[-1].line(well))
    worst = max(seen, key=lambda each: each.at(0.99))
    missing = sum(len(each.waits_ms) - each.arrived for each in seen)
    say(
        f"broker_faults: sign_ups={count * len(seen)} missing={missing} p99_ms={worst.at(0.99):.0f} ({worst.name})"
        f" target_ms={TARGET_MS:.0f}"
    )
    return int(missing > 0 or worst.at(0.99) > TARGET_MS)


def watch(stack: Stack, name: str, fault: AbstractContextManager[None], count: int) -> Seen:
    # Signs people up during a fault and waits for their emails.
    with ThreadPoolExecutor(1) as street:
        signing_up = street.submit(crowd, stack, name, count)
        time.sleep(PACE_S)
        with fault:
            waits = signing_up.result()
    over = time.time()
    give_up_at = time.monotonic() + ARRIVES_WITHIN_S
    while len(starts := provider_calls(stack, name, count)) < count and time.monotonic() < give_up_at:
        time.sleep(0.2)
    after = [start - over for start in starts if start > over] or [0.0]
    return Seen(name=name, waits_ms=waits, arrived=len(starts), first_s=min(after), last_s=max(after))


def crowd(stack: Stack, name: str, count: int) -> list[float]:
    # Returns the response times in ms.
    began = time.monotonic()

    def sign_up(number: int) -> float:
        time.sleep(max(0.0, began + number * PACE_S - time.monotonic()))
        return SiteClient(stack.site_url).sign_up(f"{name}-{number}@example.com").took_s * 1000

    with ThreadPoolExecutor(8) as people:
        return list(people.map(sign_up, range(count)))


def provider_calls(stack: Stack, name: str, count: int) -> list[float]:
    # When the first provider call of each accepted email began, in seconds since 1970.
    answer = requests.get(
        f"{stack.simulator_url}/api/messages", params={"to": f"{name}-", "limit": str(3 * count)}, timeout=10
    )
    first: dict[str, float] = {}
    for entry in answer.json()["messages"]:
        moment = datetime.fromisoformat(entry["request_started_at"]).timestamp()
        first[entry["to"]] = min(moment, first.get(entry["to"], moment))
    return list(first.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
