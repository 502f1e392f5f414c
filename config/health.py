"""`python -m config.health NAME` ends with 0 if that process, on this machine, does its work: for container probes.

It costs about 0.2 s of CPU, which is Python's start; `celery inspect ping` costs 0.5 s, and the worker's attention.
"""

import http.client
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from config.environment import BASE_DIR
from config.processes import PROCESSES, Process

FRESH_S = 20.0
# Where a process can be asked: its port's variable and default, and the path.
PAGES = {
    "web": ("WEB_PORT", 8000, "/healthz/ready"),
    "flower": ("FLOWER_PORT", 5555, "/healthcheck"),
    "simulator": ("SIMULATOR_PORT", 8025, "/healthz"),
}


def healthy(process: Process, environment: Mapping[str, str], run: Path) -> bool:
    """True if the process answers, or has touched its heartbeat file lately; one that can do neither is believed."""
    if process.name in PAGES:
        variable, default, path = PAGES[process.name]
        return answers(int(environment.get(variable) or default), path, host(environment))
    if process.heartbeat:
        return fresh(Path(environment.get("MAILROOM_HEARTBEAT_FILE") or run / f"{process.name}.heartbeat"))
    return True


def host(environment: Mapping[str, str]) -> str:
    """Return a host name that Django will answer to."""
    names = environment.get("ALLOWED_HOSTS", "").split(",")
    return next((name.strip().removeprefix(".") for name in names if name.strip() not in {"", "*"}), "127.0.0.1")


def answers(port: int, path: str, host_header: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", path, headers={"Host": host_header})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def fresh(file: Path) -> bool:
    try:
        return time.time() - file.stat().st_mtime < FRESH_S
    except FileNotFoundError:
        return False


def main(arguments: list[str]) -> int:
    processes = {process.name: process for process in PROCESSES}
    if len(arguments) != 1 or arguments[0] not in processes:
        sys.stderr.write(f"usage: python -m config.health {'|'.join(processes)}\n")
        return 2
    run = Path(os.environ.get("MAILROOM_RUN_FOLDER") or BASE_DIR / ".local")
    return 0 if healthy(processes[arguments[0]], os.environ, run) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
