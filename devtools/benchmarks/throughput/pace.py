"""Enqueue messages at a pace, or as fast as possible, and write down when. Standard library only: the peers use it."""

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

DOMAIN = "example.com"


def address_of(number: int) -> str:
    return f"reader{number}@{DOMAIN}"


def enqueue_at(numbers: Iterable[int], enqueue: Callable[[str, int], None], rate: float, file: str) -> None:
    """Enqueue each number, `rate` a second; write times and CPU time to `file`. 0: without a pause."""
    times: dict[str, float] = {}
    began, cpu = time.time(), time.process_time()
    for done, number in enumerate(numbers):
        if rate:
            time.sleep(max(0.0, began + done / rate - time.time()))
        to = address_of(number)
        times[to] = time.time()
        enqueue(to, number)
    write(file, times, ended_at=time.time(), cpu_s=time.process_time() - cpu)


def write(file: str, times: dict[str, float], *, ended_at: float, cpu_s: float) -> None:
    Path(file).write_text(json.dumps({"times": times, "ended_at": ended_at, "cpu_s": cpu_s}))
