"""The peers as contestants: what a developer would use instead."""

from dataclasses import dataclass
from pathlib import Path

from config.environment import BASE_DIR
from devtools.benchmarks.throughput.contestant import Contestant, Run, Workload, python_module
from devtools.benchmarks.throughput.double import API_KEY
from devtools.benchmarks.throughput.line_process import LineProcess

SETTINGS = "devtools.benchmarks.throughput.peers.settings"


@dataclass(frozen=True, kw_only=True)
class PythonPeer(Contestant):
    """A Django application in the peers' environment, whose interpreter is `python`."""

    python: Path
    peer: str

    @property
    def schema(self) -> str:
        return self.peer.replace("-", "_")

    def migrate(self) -> list[str]:
        return [str(self.python), "-m", "django", "migrate", "--no-input", "-v", "0"]

    def environment(self, run: Run | None) -> dict[str, str]:
        found = {
            "PYTHONPATH": str(BASE_DIR),
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "BENCH_PEER": self.peer,
            "BENCH_RENDERS": "1" if self.renders else "",
            "BENCH_API_KEY": API_KEY,
            "BENCH_API_URL": run.api_url if run else "",
        }
        if run:
            found |= {
                "DATABASE_URL": run.servers.database_url,
                "REDIS_URL": run.servers.redis_url,
                "BENCH_LOCK": str(run.folder / "lock"),
            }
        return found

    def enqueuer(self, run: Run, workload: Workload, file: Path) -> LineProcess:
        environment = self.environment(run)
        if workload.held:
            environment["REDIS_URL"] = run.servers.held_url
        command = [*python_module("peers.enqueue", self.python), *workload.arguments, str(file)]
        return LineProcess(command, environment, run.folder / "enqueue.log")


@dataclass(frozen=True, kw_only=True)
class CeleryPeer(PythonPeer):
    """A prefork worker with `sends` processes.

    As Celery does by default, it closes Django's connection after each task, so that each result costs a new one. With
    `is_persistent`, its processes keep their connections.
    """

    is_persistent: bool = False

    def environment(self, run: Run | None) -> dict[str, str]:
        return {**super().environment(run), "BENCH_PERSISTENT": "1" if self.is_persistent else ""}

    def start(self, run: Run) -> None:
        app = "devtools.benchmarks.throughput.peers.celery_app"
        options = ["-c", str(self.sends), "-l", "INFO"]
        command = [str(self.python), "-m", "celery", "-A", app, "worker", "-P", "prefork", *options]
        worker = run.start("worker", command, self.environment(run), talks=False)
        worker.wait_until(lambda: " ready." in worker.log.read_text(errors="replace"), "not ready")

    def open(self, run: Run) -> None:
        run.servers.release_held()


@dataclass(frozen=True, kw_only=True)
class CommandPeer(PythonPeer):
    """A command that cron starts, here in a process that is warm: its start is not measured."""

    processes: int = 1
    threads: int = 1
    resident: bool = False

    def environment(self, run: Run | None) -> dict[str, str]:
        return {**super().environment(run), "BENCH_THREADS": str(self.threads)}

    def start(self, run: Run) -> None:
        command = [*python_module("peers.drain", self.python), str(self.processes)]
        run.start("drain", command, self.environment(run)).expect("ready")

    def open(self, run: Run) -> None:
        run.processes["drain"].tell("go")


@dataclass(frozen=True, kw_only=True)
class BullMQ(Contestant):
    """BullMQ and SendGrid's client in `folder`; `content` is the file with the rendered email."""

    folder: Path
    content: Path
    renders: bool = False

    @property
    def schema(self) -> str:
        return "none"

    def migrate(self) -> list[str]:
        return []

    def environment(self, run: Run | None) -> dict[str, str]:
        found = {"BENCH_API_KEY": API_KEY, "BENCH_CONTENT": str(self.content)}
        return found | ({"REDIS_URL": run.servers.redis_url, "BENCH_API_URL": run.api_url} if run else {})

    def start(self, run: Run) -> None:
        run.start("worker", self._command("worker", str(self.sends)), self.environment(run)).expect("ready")

    def enqueuer(self, run: Run, workload: Workload, file: Path) -> LineProcess:
        command = self._command("enqueue", *workload.arguments, str(file))
        return LineProcess(command, self.environment(run), run.folder / "enqueue.log")

    def close(self, run: Run) -> None:
        run.processes["worker"].tell("pause")
        run.processes["worker"].expect("done")

    def open(self, run: Run) -> None:
        run.processes["worker"].tell("go")

    def _command(self, *arguments: str) -> list[str]:
        return ["node", str(self.folder / "bullmq.js"), *arguments]
