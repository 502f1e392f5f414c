"""`make up` in a checkout with a space in its path."""

import os
import shutil
import signal
import socket
import subprocess
import sys

import psutil
import pytest
import requests

from config.environment import BASE_DIR
from devtools.stack.__main__ import LEFTOVERS_STOPPED
from devtools.stack.orphans import MARK
from devtools.stack.ports import free_port
from tests.live.running import environment, eventually

pytestmark = [pytest.mark.live, pytest.mark.long]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the repository, run by the suite's Python."""
    folder = tmp_path_factory.mktemp("a check out") / "mailroom"
    ignored = shutil.ignore_patterns(".git", ".venv", ".local", "staticfiles", "__pycache__", ".*_cache", "tests")
    shutil.copytree(BASE_DIR, folder, ignore=ignored)
    yield folder
    local(folder, "down")
    local(folder, "clean")


@pytest.fixture(scope="module")
def ports():
    return {"WEB_PORT": str(free_port()), "FLOWER_PORT": str(free_port()), "SIMULATOR_PORT": str(free_port())}


def local(folder, command, **more):
    return subprocess.run(
        [sys.executable, "-m", "devtools.stack", command],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def up(folder, ports):
    """Start the stack, wait for its table, and return the process and its output."""
    log = folder.parent / "up.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "devtools.stack", "up"],
            cwd=folder,
            env=environment(**ports),
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    eventually(lambda: "Mailroom is up." in log.read_text() or process.poll() is not None, within_s=100)
    return process, log


def of_stack(folder):
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(folder / ".local"):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def test_up_killed_started_again_and_interrupted(checkout, ports):
    process, log = up(checkout, ports)
    assert "admin@mailroom.example · " in log.read_text(), log.read_text()
    site = f"http://127.0.0.1:{ports['WEB_PORT']}"
    assert f"{site}/sign-up/" in log.read_text()
    assert requests.get(f"{site}/healthz/ready", timeout=10).ok
    secrets = [path for path in (checkout / ".local").iterdir() if path.suffix == ".password" or path.name == "env"]
    assert len(secrets) == 4
    assert all(path.stat().st_mode & 0o077 == 0 for path in secrets)
    again = local(checkout, "up", **ports)
    assert (again.returncode, "already running" in again.stderr) == (1, True)

    # Killing both `make up` and its supervisor orphans the other processes.
    (supervisord,) = [pid for pid in of_stack(checkout) if "supervisord" in " ".join(psutil.Process(pid).cmdline())]
    os.kill(supervisord, signal.SIGKILL)
    process.kill()
    process.wait()
    assert of_stack(checkout)

    password = (checkout / ".local" / "admin.password").read_text()
    process, log = up(checkout, ports)
    assert LEFTOVERS_STOPPED in log.read_text()
    assert password in log.read_text()
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 0
    assert "Stopped." in log.read_text()
    assert of_stack(checkout) == []


@pytest.mark.parametrize("variable", ["WEB_PORT", "FLOWER_PORT", "SIMULATOR_PORT"])
def test_taken_port_is_reported_with_its_variable(checkout, ports, variable):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        done = local(checkout, "up", **{**ports, variable: str(taken)})
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert str(taken) in line
    assert f"{variable}=" in line


@pytest.mark.parametrize("text", ["http", "0", "70000", "-1"])
def test_invalid_port_is_reported(checkout, text):
    done = local(checkout, "up", WEB_PORT=text)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith(f"WEB_PORT is {text!r}")


def test_unknown_command_is_reported(checkout):
    done = local(checkout, "sideways")
    assert (done.returncode, "usage:" in done.stderr) == (2, True)
