"""Programs that run in the engine's network during the test: people and slow clients."""

import json
import subprocess
import sys
import time
from pathlib import Path

from config.environment import BASE_DIR
from devtools.chaos.workload import Operation, Result
from tests.containers.engine import NICE
from tests.containers.site import Site
from tests.containers.verdict import longest_gap_s

# A person waits at most a minute.
LEAVES_WITHIN_S = 90


class Crowd:
    """People who sign up at a steady rate. `ca_file`: the certificate that they trust."""

    def __init__(self, site: Site, ca_file: Path, log: Path, rate: float = 2.0) -> None:
        self.site = site
        self.ca_file = ca_file
        self.log = log
        self.rate = rate
        self._process: subprocess.Popen[bytes] | None = None
        log.unlink(missing_ok=True)

    def come(self) -> None:
        options = ("--site", self.site.url, "--ca", str(self.ca_file), "--rate", f"{self.rate:g}")
        self._process = self._start("tests.containers.people", str(self.log), *options)

    def leave(self) -> None:
        """Stop starting sign-ups and wait for those in progress."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(LEAVES_WITHIN_S)

    def operations(self) -> list[Operation]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [Operation(**{**entry, "result": Result(entry["result"])}) for entry in map(json.loads, lines)]

    def gap_s(self, since: float) -> float:
        return longest_gap_s(self.operations(), since, time.time())

    def be_slow(self, seconds: float) -> int:
        """Connect many slow clients for this time. Return how many were connected at the same time."""
        port = str(self.site.port)
        attack = self._start("tests.containers.slow", "--port", port, "--ca", str(self.ca_file), piped=True)
        time.sleep(seconds)
        attack.terminate()
        output, _ = attack.communicate(timeout=LEAVES_WITHIN_S)
        return int(output or 0)

    def _start(self, module: str, *arguments: str, piped: bool = False) -> subprocess.Popen[bytes]:
        command = self.site.engine.beside([sys.executable, "-m", module, *arguments])
        output = subprocess.PIPE if piped else None
        return subprocess.Popen([*NICE, *command], cwd=BASE_DIR, stdin=subprocess.DEVNULL, stdout=output)
