"""The worker and the relay of a proof: real processes, with the project's settings."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import ENVIRONMENT_VARIABLE
from django.db import connections

from notifications.runtime.roles import Role

SETTINGS_MODULE = "mailroom_proof_settings"
# The second and later lines differ from the project's settings. Short limits, so that a killed worker's messages are
# retried after seconds. No guard, because only the journal gets email.
_SETTINGS = """
import os
from {module} import *
for _alias, _name in {databases!r}.items():
    DATABASES[_alias] = {{**DATABASES[_alias], "NAME": _name}}
MAILROOM_ROLE = os.environ["MAILROOM_ROLE"]
EMAIL_PROVIDERS = ["smtp"]
ONLY_TO, REDIRECT_TO = [], ""
SMTP_URL = {smtp_url!r}
EMAIL_RATE = "smtp=500"
EMAIL_STREAM_RATES = EMAIL_DAILY = ""
PROVIDER_CONNECT_TIMEOUT_S, PROVIDER_READ_TIMEOUT_S, PROVIDER_DEADLINE_S = 2, 5, 6
DELIVERY_LEASE_S, UNCERTAIN_SETTLE_S = 16, 2
"""
_COMMANDS = {
    Role.WORKER: [
        *("celery", "-A", "notifications.testing.proof.celery_app", "worker", "--pool", "threads"),
        *("--concurrency", "4", "--queues", "critical,default,bulk", "--loglevel", "warning"),
    ],
    Role.RELAY: ["django", "relay"],
}
#: By then what a process wrote before it was frozen has reached the journal.
ARRIVES_S = 0.3
END_S = 15.0
LAST_LINES = 15


class Processes:
    """Runs in a folder of its settings and logs. Ends what it has started when its block ends."""

    def __init__(self, folder: Path, smtp_url: str) -> None:
        self._folder = folder
        databases = {alias: connections[alias].settings_dict["NAME"] for alias in connections}
        text = _SETTINGS.format(module=os.environ[ENVIRONMENT_VARIABLE], databases=databases, smtp_url=smtp_url)
        (folder / f"{SETTINGS_MODULE}.py").write_text(text, encoding="utf-8")
        self._running: dict[Role, subprocess.Popen[bytes]] = {}
        self._open = ExitStack()

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *exception: object) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            _wait(process)
        self._open.close()

    def start(self, role: Role) -> None:
        log = self._open.enter_context((self._folder / f"{role}.log").open("ab"))
        environment = os.environ | {
            ENVIRONMENT_VARIABLE: SETTINGS_MODULE,
            "MAILROOM_ROLE": role.value,
            "PYTHONPATH": os.pathsep.join([str(self._folder), *filter(None, sys.path)]),
        }
        command = [sys.executable, "-m", *_COMMANDS[role]]
        self._running[role] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def freeze(self, role: Role) -> None:
        self._running[role].send_signal(signal.SIGSTOP)
        time.sleep(ARRIVES_S)

    def kill(self, role: Role) -> None:
        process = self._running.pop(role)
        process.kill()
        process.wait()

    def ended(self) -> Iterator[str]:
        """Yield each process that has ended unasked, with the end of its log."""
        for role, process in self._running.items():
            if process.poll() is not None:
                yield f"the {role} ended with {process.returncode}:\n{self._tail(role)}"

    def _tail(self, role: Role) -> str:
        lines = (self._folder / f"{role}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-LAST_LINES:])


def _wait(process: "subprocess.Popen[Any]") -> None:
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
