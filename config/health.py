"""Probe one process on this machine. `python -I -S config/health.py NAME` exits with 0 if it is healthy.

Probes run every few seconds for every process, so they must be cheap: they read the age of a heartbeat file or ask a
port. They import neither Django nor Celery; run as a file, this one does not import the package either.
"""

import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

FRESH_S = 20.0
ANSWER_WITHIN_S = 4.0
# Processes that answer HTTP: the variable and the default of their port, and the path.
PAGES = {
    "web": ("WEB_PORT", 8000, "/healthz/ready"),
    "flower": ("FLOWER_PORT", 5555, "/healthcheck"),
}
# Processes that touch their heartbeat file.
HEARTBEATS = ("worker-critical", "worker-main", "worker-bulk", "relay", "beat")


def healthy(name: str, environment: Mapping[str, str], run: Path) -> bool:
    if name in PAGES:
        variable, default, path = PAGES[name]
        port = environment.get(variable) or str(default)
        # Flower's own variable, for a Flower behind a path of a proxy.
        prefix = environment.get("FLOWER_URL_PREFIX", "").strip("/") if name == "flower" else ""
        path = f"/{prefix}{path}" if prefix else path
        # The process itself reports a port that is not a number.
        return port.isdecimal() and answers(int(port), path, host(environment))
    return fresh(Path(environment.get("MAILROOM_HEARTBEAT_FILE") or run / f"{name}.heartbeat"))


def host(environment: Mapping[str, str]) -> str:
    # The Host header of a probe: Django refuses hosts that are not in ALLOWED_HOSTS.
    names = environment.get("ALLOWED_HOSTS", "").split(",")
    return next((name.strip().removeprefix(".") for name in names if name.strip() not in {"", "*"}), "127.0.0.1")


def answers(port: int, path: str, host_header: str) -> bool:
    request = f"GET {path} HTTP/1.0\r\nHost: {host_header}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_WITHIN_S) as connection:
            connection.sendall(request.encode())
            status_line = connection.makefile("rb").readline()
    except (OSError, OverflowError):
        return False
    # 401: Flower is up and asks for a password, which the probe does not need.
    return status_line.split(b" ")[1:2] in ([b"200"], [b"401"])


def fresh(file: Path) -> bool:
    try:
        return time.time() - file.stat().st_mtime < FRESH_S
    except FileNotFoundError:
        return False


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in {*PAGES, *HEARTBEATS}:
        sys.stderr.write(f"usage: health.py {'|'.join([*PAGES, *HEARTBEATS])}\n")
        return 2
    run = os.environ.get("MAILROOM_RUN_FOLDER") or Path(__file__).resolve().parent.parent / ".local"
    return 0 if healthy(arguments[0], os.environ, Path(run)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
