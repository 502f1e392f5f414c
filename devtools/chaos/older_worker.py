"""Runs a worker of the previous release next to the stack's workers."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.environment import BASE_DIR
from devtools.stack.orphans import MARK
from devtools.stack.stack import Stack, StackError
from notifications.runtime.roles import Role

STARTS_WITHIN_S = 60.0
STOPS_WITHIN_S = 60.0
COMMAND = (
    *("-m", "celery", "-A", "config", "worker", "-n", "older@%h", "-P", "threads", "-c", "16"),
    *("-Q", "critical,default,bulk", "-E", "--without-gossip", "--without-mingle", "-l", "INFO"),
    *("-I", "devtools.chaos.older"),
)


@contextmanager
def older_worker(stack: Stack) -> Iterator[None]:
    """Run the worker until the block ends; then stop it as a deploy does. Raises StackError if it does not start."""
    heartbeat = stack.folder / "worker-older.heartbeat"
    heartbeat.unlink(missing_ok=True)
    environment = stack.environment | {
        "MAILROOM_ROLE": Role.WORKER.value,
        "MAILROOM_HEARTBEAT_FILE": str(heartbeat),
        MARK: str(stack.folder),
    }
    with (
        (stack.folder / "log" / "worker-older.log").open("ab") as log,
        subprocess.Popen([sys.executable, *COMMAND], cwd=BASE_DIR, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            _wait_ready(process, heartbeat)
            yield
        finally:
            process.terminate()
            process.wait(STOPS_WITHIN_S)


def _wait_ready(process: "subprocess.Popen[bytes]", heartbeat: Path) -> None:
    give_up_at = time.monotonic() + STARTS_WITHIN_S
    while not heartbeat.exists():
        if process.poll() is not None or time.monotonic() > give_up_at:
            raise StackError("The worker of the previous release did not start; see log/worker-older.log.")
        time.sleep(0.1)
