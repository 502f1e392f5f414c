"""Commands whose output is no longer read, and arguments that are not text."""

import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection

from tests import forked

pytestmark = pytest.mark.long


@pytest.fixture
def environment(transactional_db):
    parts = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
    return {**os.environ, "DATABASE_URL": database, "MAILROOM_ROLE": "manage"}


def started(environment, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=environment,
        stderr=subprocess.PIPE,
        **options,
    )


@pytest.mark.parametrize("arguments", [["status"], ["status", "--json"], ["diffsettings", "--all"]])
@pytest.mark.parametrize("buffered", ["", "1"])
def test_command_ends_silently_when_its_reader_ends(environment, arguments, buffered):
    read, write = os.pipe()
    os.close(read)
    with started({**environment, "PYTHONUNBUFFERED": buffered}, *arguments, stdout=write) as process:
        os.close(write)
        _, said = process.communicate(timeout=60)
    assert said == b""
    assert process.returncode == 1


@pytest.mark.parametrize("option", ["--kind", "--error", "--since"])
def test_argument_that_is_not_text_is_reported_in_one_line(environment, option):
    # Python's form of bytes that are not text.
    arguments = ("manage.py", "replay_dead", option, os.fsdecode(b"\xff\xfe"))
    done = forked.run(*arguments, folder=settings.BASE_DIR, environment=environment)
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith(f"CommandError: {option} ")
    assert done.returncode == 1
