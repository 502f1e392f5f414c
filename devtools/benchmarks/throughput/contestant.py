"""What every contestant of the benchmark can do, and the place of one run."""

import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from devtools.benchmarks.throughput.line_process import LineProcess
from devtools.benchmarks.throughput.provider import Provider
from devtools.benchmarks.throughput.servers import Servers

RELAY = "relay"


@dataclass(kw_only=True)
class Run:
    """One run: its servers, the double, and the processes that were started, which end with `stack`."""

    folder: Path
    servers: Servers
    provider: Provider
    delay_ms: int
    stack: ExitStack
    processes: dict[str, LineProcess] = field(default_factory=dict)

    @property
    def api_url(self) -> str:
        return f"{self.provider.url}/v3/"

    @property
    def roots(self) -> dict[str, list[int]]:
        workers = [process.pid for name, process in self.processes.items() if name != RELAY]
        relay = {RELAY: [self.processes[RELAY].pid]} if RELAY in self.processes else {}
        return {"workers": workers, **relay, **self.servers.roots}

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], *, talks: bool = True
    ) -> LineProcess:
        """Start a process of the contestant that stays until the run ends."""
        process = LineProcess(command, environment, self.folder / f"{name}.log", talks=talks)
        self.processes[name] = self.stack.enter_context(process)
        return process

    def freeze(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGCONT)


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Messages to enqueue. `rate` is a second, 0 without a pause; `held` keeps their tasks from the workers."""

    first: int
    count: int
    rate: float = 0.0
    held: bool = False

    @property
    def arguments(self) -> list[str]:
        return [str(self.first), str(self.count), str(self.rate)]


@dataclass(frozen=True, kw_only=True)
class Contestant(ABC):
    """A way to send email. `delays_ms`: the delays of the provider that it is measured at.

    `sends`: how many calls it makes at the same time. `resident`: its workers run all the time, so that the wait of a
    single message can be measured. `is_main`: it is measured in every round, and with `--quick`. `times`: how many
    times as many emails as others it gets, because it is faster.
    """

    name: str
    delays_ms: tuple[int, ...] = (0, 100)
    sends: int
    renders: bool = True
    resident: bool = True
    is_main: bool = True
    times: int = 1

    @property
    @abstractmethod
    def schema(self) -> str: ...

    @abstractmethod
    def migrate(self) -> list[str]:
        """Return the command that makes its tables; an empty list without any."""

    @abstractmethod
    def environment(self, run: Run | None) -> dict[str, str]:
        """Return the environment of its processes. Without a run: to make its tables."""

    @abstractmethod
    def start(self, run: Run) -> None:
        """Start its workers and wait until they are ready. Raises ProcessFailedError."""

    @abstractmethod
    def enqueuer(self, run: Run, workload: Workload, file: Path) -> LineProcess:
        """Return a process that enqueues the workload after a line, and writes times to `file`."""

    def close(self, run: Run) -> None:  # noqa: B027 - most need nothing
        """Keep the workers from what is enqueued from now on. `open` ends it."""

    @abstractmethod
    def open(self, run: Run) -> None:
        """Let the workers have what is enqueued."""


def python_module(name: str, python: Path | str = sys.executable) -> list[str]:
    return [str(python), "-m", f"devtools.benchmarks.throughput.{name}"]
