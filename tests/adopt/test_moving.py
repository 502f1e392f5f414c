"""Take over queues that the real packages have filled, with the wheel beside them.

The commands are those of docs/how-to/move-from-post-office.md and move-from-django-mailer.md.
"""

import json
import re
import subprocess
import tomllib
from email import message_from_bytes, policy

import pytest

from config.environment import BASE_DIR
from devtools.stack.ports import HOST
from tests.adopt.conftest import install
from tests.adopt.foreign import Project, mailbox, servers  # noqa: F401 - fixtures
from tests.docs.pages import text_of

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

PINS = tomllib.loads((BASE_DIR / "devtools/benchmarks/throughput/peers.toml").read_text())["python"]
SETTINGS = """
import os

INSTALLED_APPS += ["notifications", "post_office", "mailer"]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}}
REDIS_URL = os.environ["REDIS_URL"]
SITE_NAME, SITE_URL = "Shop", "https://shop.example.com"
DEFAULT_FROM_EMAIL = "Shop <hello@shop.example.com>"
EMAIL_PROVIDERS = ["smtp"]
SMTP_URL = os.environ["SMTP_URL"]
EMAIL_RATE = ""
EMAIL_BACKEND = "notifications.backend.OutboxBackend"
MEDIA_ROOT = BASE_DIR / "media"
# What the old workers would send.
EMAIL_FILE_PATH = BASE_DIR / "sent-by-old"
MAILER_EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
POST_OFFICE = {"BACKENDS": {"default": MAILER_EMAIL_BACKEND}, "MAX_RETRIES": 0, "CELERY_ENABLED": False}
"""
FILL_POST_OFFICE = """
from datetime import timedelta
from django.core.files.base import ContentFile
from django.core.mail import EmailMessage, get_connection
from django.utils import timezone
from post_office.mail import send
from post_office.models import Email, EmailTemplate
shop = "Shop <shop@example.com>"
order = EmailTemplate.objects.create(
    name="order", subject="Order {{ number }}", content="Hi {{ name }}", html_content="<p>Hi {{ name }}</p>"
)
broken = EmailTemplate.objects.create(name="broken", subject="Broken", content="Hi")
send("ada@example.com", shop, subject="File", message="Text", priority="high",
          attachments={"order.txt": ContentFile(b"bytes")}, headers={"X-Order": "1", "Reply-To": "answers@example.com"})
send(["Bob <bob@example.com>", "c@example.com"], shop, template="order", cc=["d@example.com"], priority="low",
          context={"number": 7, "name": "Bob"}, render_on_delivery=True)
now = timezone.now()
send("later@example.com", shop, subject="Later", message="Text", html_message="<p>Text</p>",
          scheduled_time=now + timedelta(days=1), expires_at=now + timedelta(days=2))
send("expired@example.com", shop, subject="Expired", message="Text", expires_at=now + timedelta(microseconds=1))
send("broken@example.com", shop, template="broken", context={"name": "Eve"}, render_on_delivery=True)
EmailTemplate.objects.filter(id=broken.id).update(content="{% nope %}")
EmailMessage("Backend", "Text", shop, ["backend@example.com"], bcc=["e@example.com"],
             connection=get_connection("post_office.EmailBackend")).send()
assert Email.objects.filter(status=2).count() == 6
"""
FILL_MAILER = """
import mailer
from django.core.mail import EmailMultiAlternatives, get_connection
from mailer.models import Message
mailer.send_mail("High", "Text", "shop@example.com", ["ada@example.com"], priority="high")
mailer.send_html_mail("Low", "Text", "<p>Text</p>", "shop@example.com", ["bob@example.com"], priority="low")
email = EmailMultiAlternatives("File", "Text", "shop@example.com", ["c@example.com"], cc=["d@example.com"],
                               reply_to=["answers@example.com"], headers={"X-Order": "1"})
email.attach("order.bin", bytes(range(256)), "application/octet-stream")
get_connection("mailer.backend.DbBackend").send_messages([email])
mailer.send_mail("Deferred", "Text", "shop@example.com", ["e@example.com"])
Message.objects.filter(id=Message.objects.latest("id").id).update(priority=4)
Message.objects.create(message_data="no pickle")
"""
OPEN = """
import json
from notifications.models import Message
print(json.dumps([
    (m.idempotency_key.partition(":")[0], m.to_address, m.stream, m.send_at is not None,
     (m.expires_at - (m.send_at or m.created_at)).total_seconds())
    for m in Message.objects.order_by("id")
]))
"""
DELIVER = """
from notifications.delivery.deliver import deliver
from notifications.delivery.attempt import Carrier
from notifications.models import Message
from notifications.rules.states import Stream
from django.db.models.functions import Now
Message.objects.update(due_at=Now(), send_at=None)
for message in Message.objects.all():
    deliver([message.id], Stream(message.stream), Carrier(task_id="t", worker="w"))
print(sorted(Message.objects.values_list("status", flat=True)))
"""
DAY_S = 86_400


@pytest.fixture(scope="module")
def python(wheel, adopter):
    install(adopter, *[pin for pin in PINS if "celery" not in pin])
    return adopter


@pytest.fixture(scope="module")
def project(python, servers, mailbox, tmp_path_factory):  # noqa: F811 - fixtures
    folder = tmp_path_factory.mktemp("moving")
    smtp = {"SMTP_URL": f"smtp://{HOST}:{mailbox[0].port}"}
    made = Project(folder, python, servers | smtp | {"DJANGO_SETTINGS_MODULE": "shop.settings"})
    made.run(python, "-m", "django", "startproject", "shop", ".")
    settings = folder / "shop" / "settings.py"
    settings.write_text(settings.read_text() + SETTINGS)
    (folder / "sent-by-old").mkdir()
    made.manage("migrate", "-v", "0")
    return made


def imported(project, *options):
    command = [project.python, "manage.py", "import_outbox", *options]
    return subprocess.run(
        command, cwd=project.folder, env=project.environment, capture_output=True, text=True, check=False
    )


def rows(project):
    return json.loads(project.shell(OPEN))


def sent_by_old_workers(project):
    for command in ("send_queued_mail", "send_mail"):
        project.completed(project.python, "manage.py", command)
    return list((project.folder / "sent-by-old").iterdir())


@pytest.fixture(scope="module")
def taken_over(project):
    project.shell(FILL_POST_OFFICE)
    project.shell(FILL_MAILER)
    outputs = {}
    for source, page in (("post_office", "move-from-post-office.md"), ("mailer", "move-from-django-mailer.md")):
        preview, command = re.findall(r"python manage\.py import_outbox (.*)", text_of(page))
        dry = imported(project, *preview.split())
        assert [row for row in rows(project) if row[0] == source] == []
        outputs[source] = dry, imported(project, *command.split())
    # Another test may deliver them before they are compared.
    outputs["rows"] = rows(project)
    return outputs


def test_queued_emails_become_messages(taken_over):
    assert sorted(taken_over["rows"]) == [
        ["mailer", "ada@example.com", "critical", False, 3 * DAY_S],
        ["mailer", "bob@example.com", "bulk", False, 3 * DAY_S],
        ["mailer", "c@example.com", "default", False, 3 * DAY_S],
        ["mailer", "e@example.com", "default", False, 3 * DAY_S],
        ["post_office", "ada@example.com", "critical", False, 3 * DAY_S],
        ["post_office", "backend@example.com", "default", False, 3 * DAY_S],
        ["post_office", "bob@example.com", "bulk", False, 3 * DAY_S],
        ["post_office", "later@example.com", "default", True, DAY_S],
    ]


def test_dry_run_says_the_same_and_names_what_cannot_be_read(taken_over):
    for source in ("post_office", "mailer"):
        dry, real = taken_over[source]
        assert dry.returncode == real.returncode == 1
        assert dry.stderr == real.stderr
        assert "1 rows" in real.stderr
        assert dry.stdout.replace("would be queued", "queued") == real.stdout
        assert "4 queued." in real.stdout


def test_second_run_queues_nothing_and_old_workers_send_nothing(project, taken_over):
    before = rows(project)
    assert "0 queued." in imported(project, "--from", "post_office").stdout
    assert "0 queued." in imported(project, "--from", "mailer").stdout
    assert rows(project) == before
    assert sent_by_old_workers(project) == []


def test_emails_arrive_rendered_and_complete(project, taken_over, mailbox):  # noqa: F811 - a fixture
    assert project.shell(DELIVER).count("sent") == 8
    emails = {message["Subject"]: message for message in map(parsed, mailbox[1])}
    assert emails.keys() == {"File", "Order 7", "Later", "Backend", "High", "Low", "Deferred"}
    order = emails["Order 7"]
    assert (order["To"], order["Cc"]) == ("Bob <bob@example.com>, c@example.com", "d@example.com")
    assert order.get_body(("html",)).get_content().strip() == "<p>Hi Bob</p>"
    files = [message for message in map(parsed, mailbox[1]) if message["Subject"] == "File"]
    assert {
        part.get_content_disposition() and bytes(part.get_payload(decode=True))
        for message in files
        for part in message.iter_attachments()
    } == {b"bytes", bytes(range(256))}
    assert [message["X-Order"] for message in files] == ["1", "1"]
    assert {message["Reply-To"] for message in files} == {"answers@example.com"}


def parsed(envelope):
    return message_from_bytes(envelope.content, policy=policy.default)
