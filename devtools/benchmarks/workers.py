"""The processes of a run of `make bench-budget`: plain senders, or Celery workers and the relay."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.environment import BASE_DIR
from config.processes import Process, command_line
from config.reading import Environment
from notifications.runtime.roles import Role

READY_WITHIN_S = 60.0
STOP_S = 10.0


class NotReadyError(RuntimeError):
    """A process did not start; the text has the end of its log."""


class Sender:
    """A process of devtools.benchmarks.senders."""

    def __init__(self, rate: int, threads: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "devtools.benchmarks.senders", str(threads)],
            cwd=BASE_DIR,
            env=os.environ | {"EMAIL_RATE": str(rate), "MAILROOM_ROLE": Role.WORKER.value},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        self._to, self._from = self._process.stdin, self._process.stdout

    def wait_ready(self) -> None:
        # Raises NotReadyError.
        if self._from.readline() != "ready\n":
            raise NotReadyError("a sender did not start; see its output above")

    def send_until(self, moment: float) -> None:
        self._to.write(f"{moment}\n")
        self._to.flush()

    def moments(self) -> list[float]:
        """Wait until the process ends; return its provider calls, in seconds since 1970."""
        said, _ = self._process.communicate(timeout=READY_WITHIN_S)
        return [float(moment) for moment in json.loads(said)]

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()


@contextmanager
def running(folder: Path, processes: Mapping[str, Process], settings: Mapping[str, str]) -> Iterator[None]:
    """Run processes under these names until the block ends. All are ready when it begins. Raises NotReadyError."""
    started: list[subprocess.Popen[bytes]] = []
    heartbeats = [folder / f"{name}.heartbeat" for name in processes]
    try:
        for (name, process), heartbeat in zip(processes.items(), heartbeats, strict=True):
            heartbeat.unlink(missing_ok=True)
            started.append(_start(folder, name, process, {**settings, "MAILROOM_HEARTBEAT_FILE": str(heartbeat)}))
        give_up_at = time.monotonic() + READY_WITHIN_S
        while not all(heartbeat.exists() for heartbeat in heartbeats):
            if time.monotonic() > give_up_at:
                raise NotReadyError(_log_ends(folder, list(processes)))
            time.sleep(0.1)
        yield
    finally:
        _stop(started)


def _start(folder: Path, name: str, process: Process, settings: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    environment = os.environ | settings | {"MAILROOM_ROLE": process.role.value}
    command = command_line(process, run=folder, env=Environment(environment))
    # Several workers of one kind need different names.
    if "-n" in command:
        command[command.index("-n") + 1] = f"{name}@%h"
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(command, cwd=BASE_DIR, env=environment, stdout=log, stderr=log)


def _stop(started: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in started:
        process.terminate()
    for process in started:
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _log_ends(folder: Path, names: Sequence[str]) -> str:
    said = [f"{name}:\n{(folder / f'{name}.log').read_text(errors='replace')[-800:]}" for name in names]
    return "\n".join(["not all processes started", *said])
