"""A web process with the shipped settings, for requests that no test client can send."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from config.environment import BASE_DIR
from config.processes import PROCESSES, command_line
from config.reading import Environment
from devtools.stack.ports import free_port


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The port of a web process and its folder for temporary files."""
    folder: Path = tmp_path_factory.mktemp("web")
    (folder / "tmp").mkdir()
    port = free_port()
    environment = {
        **os.environ,
        "MAILROOM_ROLE": "web",
        "WEB_PORT": str(port),
        "WEB_WORKERS": "1",
        "TMPDIR": str(folder / "tmp"),
    }
    (web,) = (process for process in PROCESSES if process.name == "web")
    command = command_line(web, run=folder, env=Environment(environment))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=BASE_DIR, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(port, process)
        yield port, folder / "tmp"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _wait_for(port, process):
    for _ in range(600):
        assert process.poll() is None
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the site does not start")
