"""docs/how-to/send-django-email.md, stage.md and the pages about moving in: their code runs, their tables are true.

tests/adopt/test_moving.py runs the commands of the pages about post_office and django-mailer on queues that these
packages have filled. Not followed: stopping the old programs, and removing the old apps.
"""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.checks import run_checks
from django.core.mail import EmailMessage, get_connection, send_mail
from django.db import transaction
from django.utils import timezone

from config.reading import Environment
from notifications import cancel, progress
from notifications.conf import every_setting
from notifications.conf.declarations import GuardSettings
from notifications.conf.guard import current_guard
from notifications.models import Message
from notifications.outbox.moving import mailer, post_office
from notifications.rules.guard import Guard
from notifications.rules.states import Stream
from tests.docs.pages import block, execute, rows, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

DJANGO, STAGE = "send-django-email.md", "stage.md"
POST_OFFICE, MAILER = "move-from-post-office.md", "move-from-django-mailer.md"
CELERY_EMAIL, TASKS = "move-from-celery-email.md", "move-from-send-mail-in-celery.md"
PAGES = [DJANGO, POST_OFFICE, MAILER, CELERY_EMAIL, TASKS]
SHORT = ("Subject", "Text", "shop@example.com", ["ada@example.com"])


@pytest.fixture(autouse=True)
def backend(settings):
    """The one line of the pages."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    for page in PAGES:
        settings.EMAIL_BACKEND = execute(block(page, "EMAIL_BACKEND ="))["EMAIL_BACKEND"]


def test_headers_of_the_page_choose_stream_key_and_time():
    code = block(DJANGO, "X-Mailroom-Stream").replace("…", "*short")
    execute(f"email = {code}\nemail.send()", EmailMessage=EmailMessage, short=SHORT)
    message = Message.objects.get()
    assert (message.stream, message.idempotency_key) == ("bulk", "invoice:4711")
    assert message.send_at.isoformat() == "2026-12-24T17:00:00+00:00" or message.send_at < timezone.now()
    assert cancel("invoice:4711")


def test_connection_of_the_page_chooses_them_for_all_its_emails():
    tomorrow = timezone.now() + timedelta(days=1)
    code = block(DJANGO, "get_connection(").replace("…", "*short")
    execute(code, send_mail=send_mail, get_connection=get_connection, short=SHORT, tomorrow=tomorrow)
    message = Message.objects.get()
    assert (message.stream, message.idempotency_key, message.send_at) == ("critical", "alert:7", tomorrow)


def test_task_of_the_page_becomes_a_call_in_the_transaction():
    saved = []
    order = SimpleNamespace(id=7, save=lambda: saved.append(True))
    code = block(TASKS, "with transaction.atomic()").replace("…", "*short")
    execute(code, transaction=transaction, send_mail=send_mail, order=order, short=SHORT)
    assert saved
    assert Message.objects.get().kind == "email"
    (headers,) = re.findall(r"`headers=(\{.*?\})`", text_of(TASKS))
    for _ in range(2):
        email = EmailMessage(*SHORT, headers=eval(headers, {"order": order}))  # noqa: S307 - our own page
        email.send()
    assert Message.objects.filter(idempotency_key="order:7").count() == 1


def test_send_mail_returns_a_number_and_the_message_is_found_by_its_key():
    assert send_mail(*SHORT, connection=get_connection(key="k")) == 1
    assert "`notifications.progress`" in text_of(CELERY_EMAIL)
    assert progress(Message.objects.get(idempotency_key="k").id)


@pytest.mark.parametrize("page", [CELERY_EMAIL, TASKS])
def test_tables_name_settings_of_mailroom(page):
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", text_of(page).partition("| ")[2]))
    assert named
    assert named - {"EMAIL_BACKEND"} <= {setting.name for setting in every_setting()}


def test_priorities_of_django_mailer_become_these_streams():
    (row,) = [row for row in rows(MAILER, "| django-mailer |") if row[0].startswith("`priority=")]
    streams = re.search(r"X-Mailroom-Stream: (.*)", row[1])[1]
    # Its numbers: high 1, medium 2, low 3.
    assert re.findall(r"\w+", streams) == [mailer.STREAMS[number].value for number in (1, 2, 3)]


def test_priorities_of_post_office_become_these_streams():
    found = {}
    for old, new in rows(POST_OFFICE, "| post_office |"):
        if stream := re.search(r"Stream\.([A-Z]+)", new):
            found |= dict.fromkeys(re.findall(r'"(\w+)"', old), Stream[stream[1]])
    # Its numbers.
    numbers = {"low": 0, "medium": 1, "high": 2, "now": 3}
    assert found == {name: post_office.STREAMS[number] for name, number in numbers.items()}


def test_settings_of_the_guard_are_those_of_the_page(settings):
    values = execute(block(STAGE, "ONLY_TO ="))
    settings.ONLY_TO, settings.REDIRECT_TO = values["ONLY_TO"], values["REDIRECT_TO"]
    guard = current_guard()
    assert guard.destination("someone@shop.example") == "someone@shop.example"
    assert guard.destination("someone@else.example") == values["REDIRECT_TO"]
    (line,) = re.findall(r"`ONLY_TO=(.*?)`", text_of(STAGE))
    assert Environment({"ONLY_TO": line}).read(GuardSettings.__dict__["ONLY_TO"]) == values["ONLY_TO"]


@pytest.mark.parametrize("row", rows(STAGE, "| set |"), ids=lambda row: row[0])
def test_table_of_the_guard_is_true(row):
    name, in_it, other = row
    guard = Guard.of(
        ["qa@example.com"] if name in {"`ONLY_TO`", "both"} else [],
        "" if name == "`ONLY_TO`" else "staging@shop.example",
    )
    if in_it:
        assert guard.lets_through("qa@example.com")
    assert guard.withholds("ada@example.com") is ("not sent" in other)
    assert guard.redirects("ada@example.com") is ("goes to `REDIRECT_TO`" in other)


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        ("mailroom.E063", {"DEBUG": True}),
        ("mailroom.W016", {"DEBUG": False, "REDIRECT_TO": "staging@shop.example"}),
        ("mailroom.E062", {"ONLY_TO": ["no address or domain!"]}),
    ],
)
def test_checks_of_the_page_find_what_it_says(settings, check, changes):
    settings.EMAIL_PROVIDERS, settings.SES_REGION = ["ses"], "eu-central-1"
    settings.ONLY_TO, settings.REDIRECT_TO = [], ""
    for name, value in changes.items():
        setattr(settings, name, value)
    assert check in {message.id for message in run_checks(tags=["mailroom"])}
    assert check in {row[0].strip("`") for row in rows(STAGE, "| check |")}
