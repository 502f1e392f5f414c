"""The scripts in the Compose file: Redis with a password, and the preflight."""

import os
import re
import subprocess

import pytest

from tests.docs.compose import SERVICES


@pytest.fixture
def redis_server(tmp_path):
    """Start Redis like its container, with a program instead of Redis that prints its input."""
    fake = tmp_path / "bin" / "redis-server"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\necho "arguments: $*"\ncat\n')
    fake.chmod(0o755)
    (*shell, program) = SERVICES["redis"]["command"]

    def start(**environment):
        path = {"PATH": f"{fake.parent}:{os.environ['PATH']}"}
        command = [*shell, program.replace("$$", "$")]
        return subprocess.run(command, env=path | environment, capture_output=True, text=True, check=False)

    return start


@pytest.mark.parametrize("password", ["plain", "p/a?s#s$w[o]r:d@", 'with "quotes" and \\ backslash', "'$HOME'"])
def test_redis_accepts_any_password_and_never_on_its_command_line(redis_server, tmp_path, password):
    file = tmp_path / "password"
    file.write_text(password + "\n")
    for environment in (
        {"REDIS_PASSWORD": password},
        {"REDIS_PASSWORD": "", "REDIS_PASSWORD_FILE": str(file)},
    ):
        arguments, configuration = redis_server(**environment).stdout.strip().split("\n")
        assert password not in arguments
        quoted = configuration.removeprefix("requirepass ")
        assert re.sub(r"\\(.)", r"\1", quoted[1:-1]) == password


@pytest.mark.parametrize("environment", [{}, {"REDIS_PASSWORD": ""}, {"REDIS_PASSWORD_FILE": "/no/such/file"}])
def test_redis_never_starts_without_a_password(redis_server, environment):
    done = redis_server(**environment)
    assert done.returncode != 0
    assert done.stdout == ""


def preflight(**environment):
    (*shell, program) = SERVICES["preflight"]["command"]
    command = [*shell, program.replace("$$", "$")]
    path = {"PATH": os.environ["PATH"]}
    return subprocess.run(command, env=path | environment, capture_output=True, text=True, check=False)


REQUIRED = SERVICES["preflight"]["environment"]


def test_preflight_lists_all_missing_settings():
    done = preflight(SITE_URL="set", ALLOWED_HOSTS="")
    assert done.returncode == 1
    assert re.findall(r"^(\w+) is not set", done.stdout, re.MULTILINE) == [
        name for name in REQUIRED if name != "SITE_URL"
    ]


def test_preflight_is_silent_when_nothing_is_missing():
    done = preflight(**dict.fromkeys(REQUIRED, "set"))
    assert (done.returncode, done.stdout) == (0, "")


def test_preflight_sees_no_value():
    assert all(re.fullmatch(r"(\$\{[A-Z_]+:\+set\})+", value) for value in REQUIRED.values())
