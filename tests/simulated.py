"""A real simulator process on a free port, and what a test asks it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from config.environment import BASE_DIR
from config.local.ports import free_port


@dataclass(frozen=True)
class Simulated:
    url: str
    folder: Path

    def turn(self, provider: str = "", /, **dials: float | str) -> None:
        """Turn the dials of one provider, or of all."""
        url = f"{self.url}/api/dials/{provider}" if provider else f"{self.url}/api/dials"
        requests.put(url, json=dials, timeout=10).raise_for_status()

    def stats(self) -> dict[str, Any]:
        return dict(self.get("/api/stats").json())

    def messages(self, **query: str) -> list[dict[str, Any]]:
        return list(self.get("/api/messages", bodies="1", limit="100000", **query).json()["messages"])

    def get(self, path: str, **query: str) -> requests.Response:
        return requests.get(self.url + path, params=query, timeout=10)


@contextmanager
def simulator(folder: Path, *options: str) -> Iterator[Simulated]:
    """Run `manage.py simulator` without latency until the block ends."""
    port = free_port()
    command = [sys.executable, "manage.py", "simulator", "--port", str(port), "--folder", str(folder)]
    with (
        (folder / "simulator.log").open("ab") as log,
        subprocess.Popen(
            [*command, "--latency-ms", "0", *options], cwd=BASE_DIR, env=os.environ, stdout=log, stderr=log
        ) as process,
    ):
        running = Simulated(f"http://127.0.0.1:{port}", folder)
        try:
            _wait(running, process)
            yield running
        finally:
            process.terminate()


def _wait(running: Simulated, process: "subprocess.Popen[bytes]") -> None:
    give_up_at = time.monotonic() + 30
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            running.get("/healthz").raise_for_status()
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError((running.folder / "simulator.log").read_text())
