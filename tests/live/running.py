"""The whole stack as `make up` starts it, with what a test needs to inspect it and to make it fail."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
import requests
from psycopg import sql

from config.environment import BASE_DIR
from devtools.stack import stack as stacks
from devtools.stack.ports import free_port
from devtools.stack.site_client import SiteClient
from devtools.stack.stack import Ports, Stack
from tests.simulated import Simulated

# The suite sets these for itself; a stack must choose other values.
SET_BY_THE_SUITE = {
    *(
        "DATABASE_URL",
        "REDIS_URL",
        "MAILROOM_ROLE",
        "EMAIL_PROVIDERS",
        "SECRET_KEY",
        "MAILROOM_ENV_FILE",
        "STATIC_ROOT",
    ),
}
# Shorter than shipped, so that a test need not wait ten minutes for an uncertain message.
PATIENCE = {
    # The test of secrets searches all logs.
    "LOG_LEVEL": "DEBUG",
    "PROVIDER_CONNECT_TIMEOUT_S": "1",
    "PROVIDER_READ_TIMEOUT_S": "3",
    "PROVIDER_DEADLINE_S": "4",
    "DELIVERY_LEASE_S": "12",
    "UNCERTAIN_SETTLE_S": "2",
}
# For what takes a moment on a quiet machine.
PATIENCE_S = 120.0
# Between two questions: first, and at most, since every question costs the processes that are waited for some time.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 0.25
WORKERS = ("worker-critical", "worker-main", "worker-bulk")
# What a worker needs to use the simulator as one of the real providers. The keys are canaries: a test searches for them
# everywhere.
KEYS = {
    "SENDGRID_API_KEY": "SG.canary-of-sendgrid-0123456789",
    "POSTMARK_SERVER_TOKEN": "canary-of-postmark-0123456789",
    "AWS_ACCESS_KEY_ID": "AKIDCANARYOFAWS",
    "AWS_SECRET_ACCESS_KEY": "canary-of-aws-0123456789",
}


@contextmanager
def started(folder: Path, environment: Mapping[str, str]) -> Iterator[Stack]:
    """Run a stack on free ports until the block ends."""
    stack = Stack(folder, Ports(web=free_port(), flower=free_port(), simulator=free_port()), environment)
    with pytest.MonkeyPatch.context() as patch:
        # A busy machine needs minutes for what takes ten seconds on a quiet one.
        patch.setattr(stacks, "HEALTHY_WITHIN_S", 400.0)
        with stack.running(say=lambda _: None):
            yield stack


def environment(**more: str) -> dict[str, str]:
    """Return what a developer's shell would have, and `more`."""
    return {name: value for name, value in os.environ.items() if name not in SET_BY_THE_SUITE} | PATIENCE | more


@dataclass(frozen=True)
class Running:
    stack: Stack
    simulator: Simulated

    def site_client(self) -> SiteClient:
        return SiteClient(self.stack.site_url)

    def sql(self, query: LiteralString | sql.Composed, *arguments: Any) -> list[tuple[Any, ...]]:
        with closing(psycopg.connect(self.stack.environment["DATABASE_URL"], autocommit=True)) as connection:
            cursor = connection.execute(query, arguments)
            return list(cursor.fetchall()) if cursor.description else []

    def logs(self) -> str:
        return "".join(log.read_text(errors="replace") for log in self.stack.supervisor.log_folder.iterdir())

    def flower(self, path: str) -> requests.Response:
        auth = ("operator", self.stack.flower_password)
        return requests.get(self.stack.flower_url + path, auth=auth, timeout=120)

    def task_in_flower(self, task_id: str) -> dict[str, Any]:
        """Return what Flower shows of a task, nothing before its events: workers send them a moment later."""
        answer = self.flower(f"/api/task/info/{task_id}")
        return dict(answer.json()) if answer.ok else {}

    def stop(self, *names: str) -> None:
        for name in names:
            self.stack.supervisor.ask("stopProcess", name)

    def start(self, *names: str) -> None:
        for name in names:
            self.stack.supervisor.start_program(name)
        for server in self.stack.servers:
            if server.name in names:
                server.wait_ready()

    @contextmanager
    def without(self, *names: str) -> Iterator[None]:
        """Stop those that are running, and start them when the block ends."""
        stopped = [name for name in names if self.is_running(name)]
        try:
            self.stop(*stopped)
            yield
        finally:
            self.start(*(name for name in stopped if not self.is_running(name)))

    def is_running(self, name: str) -> bool:
        return self.stack.supervisor.state(name) == "RUNNING"

    def pid(self, name: str) -> int:
        return int(self.stack.supervisor.ask("getProcessInfo", name)["pid"])

    def kill(self, name: str) -> None:
        """Kill it with SIGKILL; the supervisor restarts it."""
        os.kill(self.pid(name), signal.SIGKILL)

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """Send SIGSTOP, and SIGCONT when the block ends."""
        pids = [self.pid(name) for name in names]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def worker_for(self, provider: str, **more: str) -> Iterator[None]:
        """Replace the stack's workers by one that sends through `provider`, until the block ends."""
        simulator = self.stack.simulator_url
        settings = {
            "EMAIL_PROVIDERS": provider,
            "SENDGRID_API_URL": f"{simulator}/v3/",
            "POSTMARK_API_URL": f"{simulator}/",
            "SES_REGION": "eu-central-1",
            "SES_ENDPOINT_URL": simulator,
            "MAILROOM_ROLE": "worker",
            # Long enough for a webhook to arrive first.
            "UNCERTAIN_SETTLE_S": "60",
            **more,
        }
        command = [sys.executable, "-m", "config.celery_command", "worker", "-n", f"{provider}@%h", "-P", "threads"]
        with (
            self.without(*WORKERS),
            (self.stack.supervisor.log_folder / f"worker-for-{provider}.log").open("ab") as log,
            subprocess.Popen(
                [*command, "-c", "4", "-Q", "critical,default,bulk"],
                cwd=BASE_DIR,
                env=self.stack.environment | KEYS | settings,
                stdout=log,
                stderr=log,
            ) as process,
        ):
            try:
                yield
            finally:
                process.terminate()

    def accepted(self, addresses: set[str]) -> dict[str, int]:
        """Return how many emails to each of `addresses` the simulated provider has accepted."""
        copies = dict.fromkeys(addresses, 0)
        for entry in self.simulator.messages():
            if entry["to"] in copies:
                copies[entry["to"]] += 1
        return copies

    def statuses(self, addresses: set[str]) -> set[str]:
        rows = self.sql("SELECT status FROM notifications_message WHERE to_address = ANY(%s)", list(addresses))
        return {status for (status,) in rows}


def eventually(
    happened: Callable[[], Any], *, within_s: float = PATIENCE_S, longest_pause_s: float = LONGEST_PAUSE_S
) -> Any:
    """Return the first true answer of `happened`. Fails with the last answer when the time is over."""
    give_up_at = time.monotonic() + within_s
    pause_s = FIRST_PAUSE_S
    while not (answer := happened()):
        assert time.monotonic() < give_up_at, f"not within {within_s:g} s; the last answer was {answer!r}"
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.2, longest_pause_s)
    return answer
