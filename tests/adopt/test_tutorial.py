"""Foreign projects install the engine from its wheel as docs/tutorial.md says, to the letter."""

import re
import shutil
import sys
import time
from contextlib import ExitStack

import pytest
import redis

from devtools.stack.ports import HOST, free_port
from tests.adopt.adopting import Adopter, edits, script, section
from tests.adopt.conftest import environment_in, install, python_of
from tests.adopt.foreign import running_servers
from tests.adopt.projects import NEW, NEW_WITH_DJANGO_6, WITH_ALLAUTH
from tests.live.running import eventually
from tests.simulated import simulator

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

MOST_LINES = 10
SIGN_UP = """
from django.test import Client
client = Client(headers={"host": "localhost"})
form = {"email": "grace@example.com", "password1": "correct horse battery staple"}
assert client.post("/accounts/signup/", form).status_code == 302
"""
MESSAGES = """
from notifications.models import Message
for message in Message.objects.order_by("created_at"):
    print(message.status, message.idempotency_key)
"""
OPERATOR = """
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
User = get_user_model()
client = Client(headers={"host": "localhost"})
client.force_login(User.objects.create_superuser(**{User.USERNAME_FIELD: "root@example.com"}))
for page in ("notifications_dashboard", "notifications_message_changelist"):
    assert client.get(reverse(f"admin:{page}")).status_code == 200, page
assert client.post(reverse("notifications:webhook", args=["sendgrid"])).status_code in {400, 403, 503}
"""


class Adoption:
    """One project on its way through the tutorial."""

    def __init__(self, foreign, project, sink, broker):
        self.foreign, self.project, self.sink, self.broker = foreign, project, sink, broker
        self.lines = 0

    def edit(self, step, replaced):
        for one in edits(step):
            if one.condition and one.condition not in self.foreign.applies:
                continue
            text = one.text
            for example, real in replaced.items():
                text = text.replace(example, real)
            assert not one.appends or (self.project.folder / one.file).exists()
            self.project.write(one.file, text, appends=one.appends)
            self.lines += one.changed_lines

    def subjects(self):
        return sorted(each["subject"] for each in self.sink.messages())

    def arrives(self, subject, count=1):
        eventually(lambda: self.subjects().count(subject) == count or self.fail_if_dead(), within_s=180)
        return next(each for each in self.sink.messages() if each["subject"] == subject)

    def fail_if_dead(self):
        dead = [name for name, process in self.project.running.items() if process.poll() is not None]
        assert not dead, self.project.logs()

    def statuses(self):
        return dict(line.split()[::-1] for line in self.project.type_into_shell(MESSAGES).splitlines())


@pytest.fixture(params=[NEW, NEW_WITH_DJANGO_6, WITH_ALLAUTH], ids=lambda foreign: foreign.name)
def adoption(request, tmp_path_factory):
    """A foreign project before the tutorial, and a provider that accepts email by SMTP."""
    foreign = request.param
    version = python_of(foreign.python)
    folder = tmp_path_factory.mktemp("shop")
    smtp_port = free_port()
    with ExitStack() as stack:
        given = stack.enter_context(running_servers(tmp_path_factory.mktemp("servers")))
        sink = stack.enter_context(simulator(tmp_path_factory.mktemp("sink"), "--smtp-port", str(smtp_port)))
        python = environment_in(tmp_path_factory.mktemp("venv") / "venv", version)
        broker = given.pop("REDIS_URL")
        project = Adopter(folder, python, given | {"SMTP": f"smtp://{HOST}:{smtp_port}"})
        stack.callback(project.stop)
        install(python, "celery", "psycopg[binary]", foreign.django, *foreign.packages)
        project.run(python, "-m", "django", "startproject", "shop", ".")
        for name, text in foreign.files.items():
            project.write(name, text)
        if "customers/models.py" in foreign.files:
            project.manage("makemigrations", "customers")
        yield Adoption(foreign, project, sink, broker)


def test_project_sends_its_email_through_the_engine(adoption, wheel, capsys):
    """From the wheel to a message that is cancelled; every step is the tutorial's."""
    project, began = adoption.project, time.monotonic()
    shutil.copytree(wheel.parent, project.folder / "dist")
    (pip_install,) = re.findall(r"^    (pip install .*)$", section(1), re.MULTILINE)
    project.run("sh", "-c", pip_install)
    addresses = {
        "redis://127.0.0.1:6379/1": adoption.broker,
        "smtp+tls://user:password@smtp.example.com:587": project.environment["SMTP"],
    }
    adoption.edit(1, addresses)
    assert adoption.lines <= MOST_LINES
    for command in re.findall(r"^    python (manage\.py \w+)$", section(2), re.MULTILINE):
        checked = project.completed(project.python, *command.split())
    # The processes are missing.
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert re.findall(r"^bad +(\w+)", checked.stdout, re.MULTILINE) == ["processes"] * 2, checked.stdout
    printed = re.findall(r"^  ((?:DJANGO_SETTINGS_MODULE=|celery |python ).*)$", checked.stdout, re.MULTILINE)
    commands = dict(zip(("worker", "relay", "beat", "other"), printed, strict=False))
    project.start(commands)
    project.type_into_shell(script(4))
    adoption.arrives("Hello")
    first_s = time.monotonic() - began
    eventually(lambda: project.completed(project.python, "manage.py", "mailroom_check").returncode == 0, within_s=60)
    sends_an_email_of_its_own(adoption, commands)
    survives_a_wiped_broker(adoption, commands)
    sends_later_or_not(adoption)
    if adoption.foreign is WITH_ALLAUTH:
        project.type_into_shell(SIGN_UP)
        (confirmation,) = eventually(lambda: adoption.sink.messages(to="grace@example.com"), within_s=120)
        assert "/accounts/confirm-email/" in confirmation["text"]
    project.type_into_shell(OPERATOR)
    with capsys.disabled():
        took = f"first_email_min={first_s / 60:.1f} all_min={(time.monotonic() - began) / 60:.1f}"
        sys.stdout.write(f"\nadopt: project={adoption.foreign.name} changed_lines={adoption.lines} {took}\n")


def sends_an_email_of_its_own(adoption, commands):
    project = adoption.project
    adoption.edit(5, {})
    project.stop()
    project.start(commands)
    for _ in range(2):
        project.type_into_shell(script(5))
    invoice = adoption.arrives("Your invoice 4711")
    assert "19.90 EUR" in invoice["text"]
    assert "31 January 2030" in invoice["text"]
    assert invoice["headers"]["Reply-To"] == "billing@shop.example.com"
    assert [each["name"] for each in invoice["files"]] == ["invoice.pdf"]


def survives_a_wiped_broker(adoption, commands):
    project = adoption.project
    project.stop("worker")
    project.type_into_shell(script(4))
    redis.Redis.from_url(adoption.broker).flushall()
    project.start({"worker": commands["worker"]})
    adoption.arrives("Hello", count=2)


def sends_later_or_not(adoption):
    adoption.project.type_into_shell(script(7))
    adoption.arrives("Your invoice 2")
    statuses = adoption.statuses()
    assert statuses["invoice:1"] == "cancelled"
    eventually(lambda: adoption.statuses()["invoice:2"] == "sent", within_s=60)
    assert adoption.subjects() == ["Hello", "Hello", "Your invoice 2", "Your invoice 4711"]
