"""Follow docs/how-to/install.md to the letter: a new project with auth.User installs the engine from its wheel."""

import json
import os
import re
import subprocess
import textwrap
from contextlib import ExitStack

import psycopg
import pytest
from aiosmtpd.controller import Controller

from config.environment import BASE_DIR
from devtools.stack.ports import HOST, free_port
from devtools.stack.postgres import Postgres
from devtools.stack.valkey import Valkey
from tests.live.running import eventually

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PAGE = (BASE_DIR / "docs/how-to/install.md").read_text()
BLOCK = re.compile(r"^`([\w./-]+)`([^\n]*)\n\n((?:    [^\n]*\n|\n)+)", re.MULTILINE)
# The page's example of enqueueing a message.
ENQUEUE = re.search(r"    from notifications import Draft.*\n\n    enqueue.*\n", PAGE)
USER = """
from django.contrib.auth.models import User
user, _ = User.objects.get_or_create(username="ada", email="ada@example.com")
"""
SEEN = """
from notifications.models import Message
for message in Message.objects.all():
    print(message.kind, message.status)
"""
OPERATOR = """
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from notifications.models import Message
client = Client(headers={"host": "localhost"})
client.force_login(User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("root"))
def page(name, *arguments):
    assert client.get(reverse(name, args=arguments)).status_code == 200, name
"""


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

    def completed(self, *command):
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def run(self, *command):
        done = self.completed(*command)
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


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """A PostgreSQL with an empty database called shop, and a Valkey: for this project alone."""
    folder = tmp_path_factory.mktemp("servers")
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
def project(adopter, servers, mailbox, tmp_path_factory):
    """Make the project as the page says."""
    folder = tmp_path_factory.mktemp("project")
    smtp = {"SMTP_URL": f"smtp://{HOST}:{mailbox[0].port}"}
    made = Project(folder, adopter, servers | smtp | {"DJANGO_SETTINGS_MODULE": "shop.settings"})
    made.run(adopter, "-m", "django", "startproject", "shop", ".")
    (folder / "orders").mkdir()
    (folder / "orders" / "__init__.py").touch()
    for name, where, text in BLOCK.findall(PAGE):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.read_text() if "at its end" in where else ""
        file.write_text(before + textwrap.dedent(text).strip() + "\n")
    return made


@pytest.fixture(scope="module")
def migrated(project):
    """Return the project with its tables, after migrating forwards, backwards and forwards again."""
    project.manage("migrate", "-v", "0")
    project.manage("migrate", "notifications", "zero", "-v", "0")
    project.manage("migrate", "-v", "0")
    return project


def test_package_is_imported_without_a_project(adopter, tmp_path):
    done = subprocess.run(
        [adopter, "-c", "import notifications; print(notifications.__file__)"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(adopter.parent.parent) in done.stdout


def test_project_passes_the_checks(project):
    project.manage("check", "--fail-level", "WARNING")


def test_migrations_fit_the_models(migrated):
    migrated.manage("makemigrations", "--check", "--dry-run")


def test_pages_of_the_engine_are_there(migrated):
    migrated.shell(
        OPERATOR
        + """
page("admin:app_list", "notifications")
page("admin:notifications_status")
page("admin:notifications_message_changelist")
assert client.get(reverse("notifications:webhook", args=["sendgrid"])).status_code == 405
"""
    )


@pytest.fixture(scope="module")
def running(migrated):
    """Start the processes of the page until the tests end."""
    commands = [line.split() for line in re.findall(r"^    MAILROOM_ROLE=.*$", PAGE, re.MULTILINE)]
    assert len(commands) == 3
    with ExitStack() as stack:
        for assignment, *command in commands:
            name, _, role = assignment.partition("=")
            log = stack.enter_context((migrated.folder / f"{role}.log").open("w"))
            environment = migrated.environment | {name: role}
            process = subprocess.Popen(command, cwd=migrated.folder, env=environment, stdout=log, stderr=log)
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)
        yield migrated


@pytest.fixture(scope="module")
def delivered(running, mailbox):
    """Return the project once the message of the page has been sent."""
    running.shell(USER + textwrap.dedent(ENQUEUE[0]))
    eventually(lambda: mailbox[1], within_s=120)
    eventually(lambda: "order-shipped sent" in running.shell(SEEN), within_s=60)
    return running


@pytest.mark.usefixtures("delivered")
def test_message_reaches_its_recipient(mailbox):
    (envelope,) = mailbox[1]
    assert envelope.rcpt_tos == ["ada@example.com"]
    assert b"Subject: Your order 4711 is on its way" in envelope.content


def test_operator_sees_the_message_and_no_problems(delivered):
    delivered.shell(OPERATOR + "page('admin:notifications_message_change', Message.objects.get().pk)")
    eventually(lambda: delivered.status() == [], within_s=120)
