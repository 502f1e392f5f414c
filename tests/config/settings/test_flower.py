"""Flower does not start without a password, and none of its pages is open."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import requests

from config import health
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


@pytest.mark.parametrize("command", [["config.run", "flower"], ["celery", "-A", "config", "flower"]])
def test_flower_does_not_start_without_a_password(command, tmp_path):
    done = run("-m", *command, FLOWER_BASIC_AUTH="", FLOWER_PORT=str(free_port()), MAILROOM_RUN_FOLDER=str(tmp_path))
    assert done.returncode == 1
    assert "mailroom.E037" in done.stderr
    assert "Traceback" not in done.stderr


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
