"""A foreign project outside the repository, its servers, and a mailbox."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from aiosmtpd.controller import Controller

from devtools.stack.ports import HOST, free_port
from devtools.stack.postgres import Postgres
from devtools.stack.valkey import Valkey


class Mailbox:
    def __init__(self):
        self.received = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.received.append(envelope)
        return "250 OK"


class Project:
    """A project outside the repository, whose processes get none of the suite's variables."""

    def __init__(self, folder, python, environment):
        self.folder, self.python = folder, python
        path = f"{python.parent}:{os.environ['PATH']}"
        self.environment = {"PATH": path, "HOME": str(folder), "PYTHONPATH": str(folder), **environment}

    def completed(self, *command, typed=None):
        options = {"cwd": self.folder, "env": self.environment, "input": typed}
        return subprocess.run(command, capture_output=True, text=True, check=False, **options)

    def run(self, *command, typed=None):
        done = self.completed(*command, typed=typed)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def manage(self, *arguments):
        return self.run(self.python, "-W", "error::RuntimeWarning", "manage.py", *arguments)

    def status(self):
        """Return the codes of what `manage.py status` finds wrong."""
        return json.loads(self.completed(self.python, "manage.py", "status", "--json").stdout)["codes"]

    def shell(self, script):
        return self.run(self.python, "-c", f"import django\ndjango.setup()\n{script}")


@pytest.fixture(scope="module")
def mailbox():
    handler = Mailbox()
    controller = Controller(handler, hostname=HOST, port=free_port())
    controller.start()
    yield controller, handler.received
    controller.stop()


@contextmanager
def running_servers(folder: Path) -> Iterator[dict[str, str]]:
    """Run a PostgreSQL with an empty database called shop, and a Valkey; yield the project's variables."""
    with ExitStack() as running:
        postgres = Postgres(folder / "postgres", free_port(), durable=False)
        running.callback(postgres.destroy)
        url = running.enter_context(postgres).url
        with psycopg.connect(url, dbname="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE shop")
        given = psycopg.conninfo.conninfo_to_dict(url)
        valkey = running.enter_context(Valkey(folder / "valkey", free_port(), durable=False))
        names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
        yield {variable: str(given[name]) for variable, name in names.items()} | {"REDIS_URL": valkey.url}


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """The servers of one project alone."""
    with running_servers(tmp_path_factory.mktemp("servers")) as variables:
        yield variables
