"""A project of years ago follows docs/tutorial.md. What it had keeps working, and its email goes through the engine."""

import re
import shutil
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from devtools.stack.ports import HOST, free_port
from tests.adopt.adopting import Adopter, edits, script, section
from tests.adopt.conftest import environment_in, install
from tests.adopt.foreign import running_servers
from tests.adopt.projects import DEBUG
from tests.adopt.years_old import FILES
from tests.live.running import eventually
from tests.simulated import simulator

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

# As the tutorial says of settings in a package.
PLACES = {"": "shop/settings/base.py", DEBUG: "shop/settings/dev.py"}
APPLIES = {"", DEBUG, "the project has Celery"}
PACKAGES = ["django~=5.2.0", "psycopg[binary]", "django-celery-beat", "pytest", "pytest-django"]
ORDER = """
import json
from django.contrib.auth import get_user_model
from django.test import Client
customers = get_user_model().objects
if not customers.filter(login=LOGIN).exists():
    customers.create_user(LOGIN, LOGIN + "@example.com")
client = Client(headers={"host": "localhost"}, raise_request_exception=False)
body = json.dumps({"login": LOGIN, "total": "19.90", "fail": FAIL})
print(client.post("/api/orders/", body, content_type="application/json").status_code)
"""
RESULT = """
from orders.tasks import report
print(report.delay(7).get(timeout=120))
"""
PERIODIC = """
from django_celery_beat.models import PeriodicTask
print(*PeriodicTask.objects.values_list("name", flat=True))
"""
WAITING = """
from django.contrib.auth import get_user_model
from django.test import Client
from notifications import Draft, enqueue
user = get_user_model().objects.create_user("waiting", "waiting@example.com")
context = {"number": 1, "total": "1", "due": "2030-01-31"}
enqueue(Draft(kind="invoice", to=user.contact_address, user=user, context=context))
page = Client(headers={"host": "localhost"}).get(f"/orders/{user.pk}/").content.decode()
assert "waiting@example.com" in page, page
assert 'data-action="resend"' in page or "data-poll-url" in page, page
"""
UNKNOWN = """
from django.core.mail import send_mail
from notifications.models import Message
send_mail("Guarded", "Text", None, ["customer@elsewhere.example"])
print(Message.objects.get(to_address="customer@elsewhere.example").id)
"""
STATUS = """
from notifications.models import Message
print(Message.objects.get(to_address="customer@elsewhere.example").status)
"""
TEST_OF_MAILROOM = """
import json

import pytest
from django.contrib.auth import get_user_model

from notifications.testing import prove


def order(client, login, address):
    get_user_model().objects.create_user(login, address)
    body = json.dumps({"login": login, "total": "19.90"})
    return client.post("/api/orders/", body, content_type="application/json")


def test_order_is_confirmed(mailroom, client, settings):
    settings.EMAIL_BACKEND = "notifications.backend.OutboxBackend"
    order(client, "ada", "ada@example.com")
    mailroom.assert_enqueued("email", to="ada@example.com", count=1)
    assert [email.to for email in mailroom.deliver()] == [["ada@example.com"], ["root@example.com"]]


@pytest.mark.django_db(transaction=True, databases=["default", "archive"])
def test_no_confirmation_is_lost(client, settings):
    settings.EMAIL_BACKEND = "notifications.backend.OutboxBackend"
    prove(lambda address: order(client, address, address), kind="email", people=30)
"""


@dataclass(frozen=True, kw_only=True)
class Adopted:
    project: Adopter
    sink: object
    #: The first output of `mailroom_check`.
    checked: str

    def shell(self, text):
        return self.project.type_into_shell(text).strip()

    def order(self, login, *, fail=False):
        return self.shell(ORDER.replace("LOGIN", repr(login)).replace("FAIL", str(fail)))

    def to(self, address):
        return self.sink.messages(to=address)

    def subjects(self, address):
        return [each["subject"] for each in self.to(address)]


@pytest.fixture(scope="module")
def adopted(wheel, tmp_path_factory):
    """The project after step 5 of the tutorial, with its processes running."""
    smtp_port, folder = free_port(), tmp_path_factory.mktemp("years-old")
    with ExitStack() as stack:
        given = stack.enter_context(running_servers(tmp_path_factory.mktemp("servers")))
        sink = stack.enter_context(simulator(tmp_path_factory.mktemp("sink"), "--smtp-port", str(smtp_port)))
        python = environment_in(tmp_path_factory.mktemp("venv") / "venv")
        broker = given.pop("REDIS_URL")
        project = Adopter(
            folder, python, given | {"OLD_BROKER": broker, "OLD_RESULTS": broker.rpartition("/")[0] + "/3"}
        )
        stack.callback(project.stop)
        install(python, "celery[redis]", *PACKAGES)
        for name, text in FILES.items():
            project.write(name, text)
        project.manage("makemigrations", "customers", "orders", "archive")
        shutil.copytree(wheel.parent, folder / "dist")
        (pip_install,) = re.findall(r"^    (pip install .*)$", section(1), re.MULTILINE)
        project.run("sh", "-c", pip_install)
        follow_step_1(project, {"redis://127.0.0.1:6379/1": broker, SMTP: f"smtp://{HOST}:{smtp_port}"})
        for name in ("default", "archive"):
            project.manage("migrate", "--database", name)
        checked = project.completed(python, "manage.py", "mailroom_check").stdout
        # Django's is root@localhost, and the project writes to its administrators.
        assert re.search(r"^note .* SERVER_EMAIL cannot be used", checked, re.MULTILINE), checked
        project.write(PLACES[""], "SERVER_EMAIL = DEFAULT_FROM_EMAIL\n")
        for edit in edits(5):
            project.write(edit.file, edit.text)
        project.start(printed_commands(checked))
        yield Adopted(project=project, sink=sink, checked=checked)


SMTP = "smtp+tls://user:password@smtp.example.com:587"


def follow_step_1(project, addresses):
    for edit in edits(1):
        if edit.condition not in APPLIES:
            continue
        text = edit.text
        for example, real in addresses.items():
            text = text.replace(example, real)
        is_setting = edit.file == "shop/settings.py"
        project.write(PLACES[edit.condition] if is_setting else edit.file, text, appends=edit.appends)


def printed_commands(checked):
    printed = re.findall(r"^  ((?:celery|python) .*)$", checked, re.MULTILINE)
    return dict(zip(("worker", "relay", "beat", "other"), printed, strict=True))


def test_check_misses_the_processes_only_and_names_all_queues(adopted):
    assert set(re.findall(r"^bad +(\w+)", adopted.checked, re.MULTILINE)) == {"processes"}, adopted.checked
    assert "-Q jobs,reports " in adopted.checked
    eventually(lambda: adopted.project.completed(adopted.project.python, "manage.py", "mailroom_check").returncode == 0)


def test_send_mail_of_a_json_view_commits_with_its_request(adopted):
    assert adopted.order("ada") == "201"
    # Other tests send to this customer, too, in any order.
    eventually(lambda: adopted.subjects("ada@example.com").count("Bestellung 1") == 1, within_s=120)
    eventually(lambda: adopted.to("root@example.com"), within_s=120)
    assert adopted.order("eve", fail=True) == "500"
    assert adopted.to("eve@example.com") == []


def test_tasks_of_the_project_run_and_return_results_as_before(adopted):
    assert adopted.shell(RESULT) == "7"


def test_periodic_tasks_of_the_project_stay_in_its_scheduler(adopted):
    eventually(lambda: "nightly" in adopted.shell(PERIODIC).split(), within_s=60)
    assert "beat@" in adopted.project.completed(adopted.project.python, "manage.py", "mailroom_check").stdout


def test_email_of_its_own_is_sent_and_shown(adopted):
    adopted.shell(script(5))
    invoice = eventually(lambda: [each for each in adopted.to("ada@example.com") if "4711" in each["subject"]])[0]
    assert [each["name"] for each in invoice["files"]] == ["invoice.pdf"]
    assert "19,90 EUR" in invoice["text"]
    adopted.shell(WAITING)


def test_only_the_guards_recipients_get_email(adopted):
    adopted.shell(UNKNOWN)
    eventually(lambda: adopted.shell(STATUS) == "cancelled", within_s=60)
    assert adopted.to("customer@elsewhere.example") == []


def test_models_and_static_files_need_nothing_else(adopted):
    adopted.project.manage("makemigrations", "--check", "--dry-run", "notifications", "customers", "orders", "archive")
    adopted.project.manage("collectstatic", "--noinput", "-v", "0")


def test_tests_of_the_project_pass_as_before(adopted):
    shown = adopted.project.run(adopted.project.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "orders/tests")
    assert "2 passed" in shown


def test_tests_of_the_project_use_the_plugin_and_prove_its_view(adopted):
    project = adopted.project
    project.write("orders/mailroom_tests.py", TEST_OF_MAILROOM, appends=False)
    # An empty database, which `prove` wipes.
    project.write("shop/settings/test.py", f'REDIS_URL = "{project.environment["OLD_BROKER"].rpartition("/")[0]}/5"\n')
    shown = project.run(
        *(project.python, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "orders/mailroom_tests.py")
    )
    assert "2 passed" in shown
    assert re.search(r"prove: accepted=30 .* lost=0 .* unexplained_duplicates=0 ", shown)
