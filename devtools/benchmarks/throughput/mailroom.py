"""This project as a contestant: its shipped processes, with the rates lifted."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from config.processes import PROCESSES, Process, command_line, pool_size
from config.reading import Environment
from devtools.benchmarks.budget import surroundings
from devtools.benchmarks.throughput.contestant import RELAY, Contestant, Run, Workload, python_module
from devtools.benchmarks.throughput.double import API_KEY
from devtools.benchmarks.throughput.environment import FOLDER
from devtools.benchmarks.throughput.line_process import LineProcess
from notifications.runtime.roles import Role

WANTED = ("worker-critical", "worker-main", "worker-bulk", RELAY)
SHIPPED_SENDS = 24
MAIN = "worker-main"
BATCH_SIZE = 500
# The most that the setting takes; no run comes near it.
UNLIMITED = "10000"


@dataclass(frozen=True, kw_only=True)
class Mailroom(Contestant):
    """`way`: how messages are enqueued and sent.

    single: `enqueue` for each message. task: the same, and each gets a task, however many are queued. chunk:
    `enqueue_many`, and one call for each email. news: the same at most once. batch: in batches of the provider.
    `sends`: those beyond the shipped threads go to the main worker.
    """

    way: str
    sends: int = SHIPPED_SENDS

    @property
    def schema(self) -> str:
        return "mailroom"

    def migrate(self) -> list[str]:
        return [sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"]

    def environment(self, run: Run | None) -> dict[str, str]:
        found = surroundings(run.folder if run else _folder()) | {
            "DJANGO_SETTINGS_MODULE": "devtools.benchmarks.throughput.bulletin.settings",
            "EMAIL_PROVIDERS": "sendgrid",
            "SENDGRID_API_KEY": API_KEY,
            "EMAIL_RATE": UNLIMITED,
            "LOG_LEVEL": "INFO",
            # 1: one call for each email.
            "EMAIL_BATCH_SIZE": str(BATCH_SIZE if self.way == "batch" else 1),
        }
        found.pop("SIMULATOR_URL", None)
        if run:
            urls = {"DATABASE_URL": run.servers.database_url, "REDIS_URL": run.servers.redis_url}
            found |= urls | {"SENDGRID_API_URL": run.api_url}
        return found

    def start(self, run: Run) -> None:
        heartbeats = {process: run.folder / f"{process.name}.heartbeat" for process in self.processes()}
        for process, heartbeat in heartbeats.items():
            environment = self.environment(run) | {
                "MAILROOM_ROLE": process.role.value,
                "MAILROOM_HEARTBEAT_FILE": str(heartbeat),
            }
            environment["DATABASE_POOL_SIZE"] = str(pool_size(process, Environment(environment)))
            command = command_line(process, run=run.folder, env=Environment(environment))
            run.start(process.name, command, environment, talks=False)
        for process, heartbeat in heartbeats.items():
            run.processes[process.name].wait_until(heartbeat.exists, "no heartbeat")

    def processes(self) -> list[Process]:
        found = [process for process in PROCESSES if process.name in WANTED]
        return [
            _with_more(process, self.sends - SHIPPED_SENDS) if process.name == MAIN else process for process in found
        ]

    def enqueuer(self, run: Run, workload: Workload, file: Path) -> LineProcess:
        environment = self.environment(run) | {"MAILROOM_ROLE": Role.WEB.value}
        if workload.held:
            environment["REDIS_URL"] = run.servers.held_url
        way = {"task": "single", "chunk": "bulletin", "batch": "bulletin"}.get(self.way, self.way)
        if self.way == "task":
            # Otherwise the requests of a burst leave publishing to the relay.
            environment["RELAY_HIGH_WATER"] = "1000000"
        command = [*python_module("mailroom_enqueue"), way, *workload.arguments, str(file)]
        return LineProcess(command, environment, run.folder / "enqueue.log")

    def close(self, run: Run) -> None:
        # It would publish what it finds due, past the held queue.
        run.freeze(RELAY)

    def open(self, run: Run) -> None:
        run.servers.release_held()
        if self.way != "task":
            # It would publish again what waits for more than a few seconds, in tasks of many.
            run.thaw(RELAY)


def _with_more(process: Process, more: int) -> Process:
    command = list(process.command)
    at = command.index("-c") + 1
    threads = int(command[at]) + more
    command[at] = str(threads)
    return replace(process, command=tuple(command), connections=threads // 2 + 2)


def _folder() -> Path:
    folder = FOLDER / "mailroom"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
