"""The whole stack as `make up` starts it, and the hands that look into it and harm it."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg
import requests

from config.local.person import Person
from config.local.stack import Stack
from tests.simulated import Simulated

# What the suite has set for itself; a stack of its own must not take it for a caller's wish.
NOT_THE_SUITES = {
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
    "PROVIDER_CONNECT_TIMEOUT_S": "1",
    "PROVIDER_READ_TIMEOUT_S": "3",
    "PROVIDER_DEADLINE_S": "4",
    "DELIVERY_LEASE_S": "12",
    "UNCERTAIN_SETTLE_S": "2",
}
WORKERS = ("worker-critical", "worker-main", "worker-bulk")


def environment(**more: str) -> dict[str, str]:
    """Return what a person's shell would have, and `more`."""
    return {name: value for name, value in os.environ.items() if name not in NOT_THE_SUITES} | PATIENCE | more


@dataclass(frozen=True)
class Running:
    stack: Stack
    simulator: Simulated

    def person(self) -> Person:
        return Person(self.stack.site_url)

    def sql(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        with closing(psycopg.connect(self.stack.environment["DATABASE_URL"], autocommit=True)) as connection:
            cursor = connection.execute(query, arguments)
            return list(cursor.fetchall()) if cursor.description else []

    def flower(self, path: str) -> requests.Response:
        auth = ("operator", self.stack.flower_password)
        return requests.get(self.stack.flower_url + path, auth=auth, timeout=30)

    def stop(self, *names: str) -> None:
        for name in names:
            self.stack.supervisor.ask("stopProcess", name)

    def start(self, *names: str) -> None:
        for name in names:
            self.stack.supervisor.start_program(name)
        for server in self.stack.servers:
            if server.name in names:
                server.wait_ready()

    def kill(self, name: str) -> None:
        """kill -9; the supervisor starts it again."""
        os.kill(self.stack.supervisor.ask("getProcessInfo", name)["pid"], signal.SIGKILL)

    def accepted(self, addresses: set[str]) -> dict[str, int]:
        """How many copies of mail to each of `addresses` the simulated provider has taken."""
        copies = dict.fromkeys(addresses, 0)
        for entry in self.simulator.messages():
            if entry["to"] in copies:
                copies[entry["to"]] += 1
        return copies

    def statuses(self, addresses: set[str]) -> set[str]:
        rows = self.sql("SELECT status FROM notifications_message WHERE to_address = ANY(%s)", list(addresses))
        return {status for (status,) in rows}


def eventually(happened: Callable[[], Any], *, within_s: float = 30.0) -> Any:
    """Return the first true answer of `happened`. Fails with the last answer when the time is over."""
    give_up_at = time.monotonic() + within_s
    while not (answer := happened()):
        assert time.monotonic() < give_up_at, f"not within {within_s:g} s; the last answer was {answer!r}"
        time.sleep(0.05)
    return answer
