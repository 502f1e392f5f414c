"""Start and ask the provider double, and measure how many requests it carries."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from config.environment import BASE_DIR
from devtools.benchmarks.throughput.double import API_KEY, HOST, SEND
from devtools.benchmarks.throughput.line_process import LineProcess
from devtools.stack.ports import free_port

PATIENCE_S = 30.0
CAPACITY_REQUESTS = 4000


class Provider:
    """A client of a running double."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://{HOST}:{port}"
        self._session = requests.Session()

    def restart(self, delay_ms: int) -> None:
        self._session.put(f"{self.url}/control", json={"delay_ms": delay_ms}, timeout=PATIENCE_S).raise_for_status()

    def count(self) -> int:
        return int(self._session.get(f"{self.url}/count", timeout=PATIENCE_S).text)

    def results(self) -> dict[str, Any]:
        return dict(self._session.get(f"{self.url}/results", timeout=PATIENCE_S).json())

    def capacity(self, requests_count: int = CAPACITY_REQUESTS) -> float:
        """Return how many requests of 10 kB a second it answers to a client process."""
        self.restart(0)
        command = [sys.executable, "-m", "devtools.benchmarks.throughput.load", str(self.port), str(requests_count)]
        done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=True)
        self.restart(0)
        return float(done.stdout)


@contextmanager
def running(folder: Path) -> Iterator[Provider]:
    port = free_port()
    command = [sys.executable, "-m", "devtools.benchmarks.throughput.double", str(port)]
    with LineProcess(command, {"PYTHONPATH": str(BASE_DIR)}, folder / "double.log") as process:
        process.expect("ready")
        yield Provider(port)


def request_of(number: int) -> bytes:
    """Return an HTTP request of SendGrid's clients, with a body of 10 kB."""
    body = json.dumps(
        {
            "from": {"email": "site@example.com"},
            "subject": "Welcome",
            "personalizations": [{"to": [{"email": f"load{number}-{time.time_ns()}@example.com"}]}],
            "content": [{"type": "text/plain", "value": "x" * 1000}, {"type": "text/html", "value": "x" * 9000}],
        }
    ).encode()
    head = f"POST {SEND} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {API_KEY}\r\nContent-Type: application/json"
    return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
