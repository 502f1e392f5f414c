"""Runs a real simulator process on a free port."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import requests

from config.environment import BASE_DIR
from devtools.stack.ports import free_port
from devtools.stack.simulated import Simulated
from notifications.providers.base import connections
from tests import forked

__all__ = ["Simulated", "simulator"]


@contextmanager
def simulator(folder: Path, *options: str) -> Iterator[Simulated]:
    """Run `python -m devtools.simulator` without latency until the block ends."""
    # A warm connection to the server of an earlier test would be opened again, to a port that refuses it.
    connections.close_all()
    port = free_port()
    log = folder / "simulator.log"
    given = ("--port", str(port), "--folder", str(folder), "--latency-ms", "0")
    process = forked.start(
        "-m", "devtools.simulator", *given, *options, folder=BASE_DIR, environment=os.environ, outputs=(log, log)
    )
    running = Simulated(f"http://127.0.0.1:{port}", folder)
    try:
        _wait(running, process)
        yield running
    finally:
        process.terminate()
        process.join()


def _wait(running: Simulated, process: ForkServerProcess) -> None:
    give_up_at = time.monotonic() + 100
    while time.monotonic() < give_up_at and process.is_alive():
        try:
            running.get("/healthz").raise_for_status()
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError((running.folder / "simulator.log").read_text())
