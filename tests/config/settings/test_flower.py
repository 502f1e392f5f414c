"""Flower does not start without a password, none of its pages is open, and it keeps its history."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from uuid import uuid4

import pytest
import requests

from config import health
from config.celery import app
from config.environment import BASE_DIR
from config.flower_guard import flower_credentials
from devtools.stack.ports import free_port
from tests.config.settings.process import run


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("operator:secret", ["operator:secret"]),
        ("a:b\nc:d\n", ["a:b", "c:d"]),
        ("operator:se,cret", ["operator:se,cret"]),
        ("operator:$,#'\\:x", ["operator:$,#'\\:x"]),
    ],
)
def test_credentials(text, pairs):
    assert flower_credentials(text) == pairs


@pytest.mark.parametrize("text", ["", "operator", "operator:", ":secret", ",", "a:b\nc"])
def test_credentials_without_a_password_are_refused(text):
    with pytest.raises(ValueError, match="no user:password"):
        flower_credentials(text)


@pytest.mark.parametrize(
    "command",
    [
        ["config.run", "flower"],
        ["celery", "-A", "config", "flower"],
        ["celery", "-A", "config.celery", "flower", "--persistent=true"],
        ["flower", "-A", "config", "flower"],
    ],
)
def test_flower_does_not_start_without_a_password(command, tmp_path):
    done = run("-m", *command, FLOWER_BASIC_AUTH="", FLOWER_PORT=str(free_port()), MAILROOM_RUN_FOLDER=str(tmp_path))
    assert done.returncode == 1
    assert "mailroom.E037" in done.stderr
    assert "Traceback" not in done.stderr


OTHER_PROJECT = f"""
import sys
sys.path.append({str(BASE_DIR)!r})
from celery import Celery
from notifications.runtime.celery import configure
app = Celery("shop")
configure(app)
"""


def test_flower_of_another_project_does_not_start_without_a_password(tmp_path):
    (tmp_path / "shop.py").write_text(OTHER_PROJECT)
    command = ("-m", "celery", "-A", "shop", "flower", f"--port={free_port()}")
    done = run(*command, folder=tmp_path, DJANGO_SETTINGS_MODULE="config.settings")
    assert done.returncode == 1
    assert "mailroom.E037" in done.stderr


@contextmanager
def flower(folder, **environment):
    port = free_port()
    given = os.environ | {"FLOWER_PORT": str(port), "MAILROOM_RUN_FOLDER": str(folder)} | environment
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.run", "flower"], cwd=BASE_DIR, env=given, stdout=log, stderr=log
        )
    try:
        while not health.answers(port, "/healthcheck", "127.0.0.1"):
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait(100)


def status(port, path, login=""):
    auth = tuple(login.split(":", 1)) if login else None
    return requests.get(f"http://127.0.0.1:{port}{path}", auth=auth, timeout=100).status_code


def test_each_page_requires_the_password(tmp_path):
    login = "operator:$se,cret#'"
    (tmp_path / "secret").write_text(login + "\n")
    with flower(tmp_path, FLOWER_BASIC_AUTH_FILE=str(tmp_path / "secret")) as port:
        for path in ("/", "/workers", "/tasks", "/broker", "/api/workers", "/metrics", "/healthcheck"):
            assert status(port, path) == 401, path
            assert status(port, path, "operator:wrong") == 401, path
        for path in ("/metrics", "/healthcheck", "/workers"):
            assert status(port, path, login) == 200, path


LOGIN = "operator:secret"


def tasks_of(port):
    answer = requests.get(f"http://127.0.0.1:{port}/api/tasks", auth=tuple(LOGIN.split(":")), timeout=100)
    return {task["name"]: task["state"] for task in answer.json().values()}


def show_task(name):
    """Send the events of a task as a worker does."""
    task_id = str(uuid4())
    with app.connection_for_write() as connection, app.events.Dispatcher(connection, hostname="main@here") as worker:
        worker.send("task-received", uuid=task_id, name=name, args="()", kwargs="{}")
        worker.send("task-failed", uuid=task_id, exception="DeadError('ses/MessageRejected')", traceback="")


def seen(port, name):
    # Flower may subscribe to events a moment after it listens.
    give_up_at = time.monotonic() + 100
    while name not in tasks_of(port):
        assert time.monotonic() < give_up_at
        show_task(name)
        time.sleep(0.3)
    return tasks_of(port)[name]


@pytest.mark.long
@pytest.mark.usefixtures("valkey")
def test_history_survives_a_restart(tmp_path):
    database = tmp_path / "kept" / "tasks"
    with flower(tmp_path, FLOWER_BASIC_AUTH=LOGIN, FLOWER_DB=str(database)) as port:
        assert seen(port, "welcome") == "FAILURE"
    files = list(database.parent.iterdir())
    assert files
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    with flower(tmp_path, FLOWER_BASIC_AUTH=LOGIN, FLOWER_DB=str(database)) as port:
        assert tasks_of(port) == {"welcome": "FAILURE"}


@pytest.mark.long
@pytest.mark.usefixtures("valkey")
def test_damaged_history_does_not_prevent_the_start(tmp_path):
    for name in ("flower-tasks", "flower-tasks.db", "flower-tasks.dat", "flower-tasks.dir"):
        (tmp_path / name).write_bytes(b"damaged")
    with flower(tmp_path, FLOWER_BASIC_AUTH=LOGIN) as port:
        assert tasks_of(port) == {}
        assert seen(port, "welcome") == "FAILURE"
    with flower(tmp_path, FLOWER_BASIC_AUTH=LOGIN) as port:
        assert tasks_of(port) == {"welcome": "FAILURE"}


@pytest.mark.long
@pytest.mark.usefixtures("valkey")
def test_history_that_cannot_be_written_does_not_prevent_the_start(tmp_path):
    (tmp_path / "a file").touch()
    with flower(tmp_path, FLOWER_BASIC_AUTH=LOGIN, FLOWER_DB=str(tmp_path / "a file" / "tasks")) as port:
        assert seen(port, "welcome") == "FAILURE"
    log = (tmp_path / "log").read_text()
    assert "FLOWER_DB cannot be written" in log
    assert "Traceback" not in log
