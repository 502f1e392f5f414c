"""Measure the response times of sign-up, also with Redis stopped, and those of publishing.

Ten people sign up per second, even if earlier requests are still waiting. Starts a stack with the shipped settings, on
free ports and in a fresh folder; the provider takes 2 s.
"""

import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import requests

from devtools.stack.console import say
from devtools.stack.facts import percentile
from devtools.stack.ports import free_port
from devtools.stack.site_client import SiteClient
from devtools.stack.stack import Ports, Stack

SIGN_UPS = 300
STOPPED_SIGN_UPS = 100
PACE_S = 0.1
PUBLISHES = 300
MEASURE_PUBLISH = f"""
import time
from uuid import uuid4
from notifications.models.transitions import Changed
from notifications.outbox import publish
from notifications.rules.states import Stream
publish.connect_to_broker()
for _ in range({PUBLISHES}):
    began = time.perf_counter()
    assert publish.publish([[Changed(id=uuid4(), kind="welcome")]], Stream.DEFAULT) == 1
    print((time.perf_counter() - began) * 1000)
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ports = Ports(web=free_port(), flower=free_port(), simulator=free_port())
        stack = Stack(Path(folder), ports, os.environ)
        with stack.running(say):
            measure(stack)


def measure(stack: Stack) -> None:
    well = sorted(sign_ups_ms(stack, "well", SIGN_UPS))
    publish = sorted(float(line) for line in stack.manage("shell", "-v", "0", "-c", MEASURE_PUBLISH).split())
    stack.supervisor.ask("stopProcess", "valkey")
    stopped = sign_ups_ms(stack, "stopped", STOPPED_SIGN_UPS)
    stack.supervisor.start_program("valkey")
    back = time.time()
    while len(starts := provider_calls(stack, "stopped", STOPPED_SIGN_UPS)) < STOPPED_SIGN_UPS:
        time.sleep(0.5)
    figures = {
        "sign_up_p50_ms": statistics.median(well),
        "sign_up_p99_ms": percentile(well, 0.99),
        "publish_p50_ms": statistics.median(publish),
        "redis_stopped_first_ms": stopped[0],
        "redis_stopped_worst_ms": max(stopped),
        "redis_stopped_p50_ms": statistics.median(stopped[1:]),
        "first_mail_after_return_s": min(starts) - back,
        "last_mail_after_return_s": max(starts) - back,
        "provider_ms": 2000.0,
        "provider_to_sign_up_ratio": 2000.0 / statistics.median(well),
    }
    say("sign_up: " + " ".join(f"{name}={value:.1f}" for name, value in figures.items()))


def sign_ups_ms(stack: Stack, name: str, count: int) -> list[float]:
    # The response times, in the order of the requests.
    began = time.monotonic()

    def one(number: int) -> float:
        time.sleep(max(0.0, began + number * PACE_S - time.monotonic()))
        return SiteClient(stack.site_url).sign_up(f"{name}{number}@example.com").took_s * 1000

    with ThreadPoolExecutor(20) as people:
        return list(people.map(one, range(count)))


def provider_calls(stack: Stack, name: str, count: int) -> list[float]:
    # When the calls for the accepted emails began, in seconds since 1970.
    query = {"to": name, "limit": str(count)}
    answer = requests.get(f"{stack.simulator_url}/api/messages", params=query, timeout=10)
    return [datetime.fromisoformat(entry["request_started_at"]).timestamp() for entry in answer.json()["messages"]]


if __name__ == "__main__":
    main()
