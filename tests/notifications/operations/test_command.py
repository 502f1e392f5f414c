"""`manage.py provider_check`: its output, and its test message, sent through the outbox."""

import threading
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.delivery.render import render
from notifications.management.commands.provider_check import LONGEST_WAIT_S
from notifications.models import Message
from notifications.operations.follow import WAITING, Sighting
from notifications.operations.provider_check import check
from notifications.providers.base.account import Level
from notifications.rules.outcomes import Outcome
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream


def run(*arguments):
    """Return the output and the error."""
    out, said = StringIO(), ""
    try:
        call_command("provider_check", *arguments, stdout=out, no_color=True)
    except CommandError as error:
        said = str(error)
    return out.getvalue(), said


@pytest.fixture
def worker():
    """A worker in a thread: delivers the first message and sets its outcome."""

    def work():
        give_up_at = time.monotonic() + 30
        while not (ids := list(Message.objects.values_list("id", flat=True))) and time.monotonic() < give_up_at:
            time.sleep(0.02)
        deliver(ids, Stream.CRITICAL, Carrier(task_id="task-1", worker="test@here"))
        Message.objects.filter(status=Status.SENT).update(outcome=Outcome.DELIVERED)
        connection.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    thread.join(30)


def test_no_message_is_sent_by_default(settings, db):
    settings.SIMULATOR_URL = "http://127.0.0.1:1"
    printed, said = run()
    (finding,) = check(["simulator"])
    shown, hint = printed.splitlines()
    assert shown.split(maxsplit=3) == [Level.BAD, "simulator", "connection", finding.text]
    assert hint.endswith(f"→ {finding.hint}")
    assert said
    assert not Message.objects.exists()


def test_provider_can_be_chosen(settings, db):
    settings.SMTP_URL = ""
    printed, said = run("--provider", "smtp")
    assert printed.split()[:3] == [Level.BAD, "smtp", "settings"]
    assert said


@pytest.mark.parametrize(
    "address", ["", "ada", "ada@example.com, eve@example.com", "ada@example.com\nBcc: eve@example.com"]
)
def test_invalid_address_is_refused(db, address):
    printed, said = run("--send-to", address)
    assert printed == ""
    assert said.startswith("--send-to: ")
    assert not Message.objects.exists()


@pytest.mark.parametrize("wait", ["-1", "soon", "nan", "99999"])
def test_wait_must_be_a_number_of_seconds(wait):
    printed, said = run("--wait", wait)
    assert printed == ""
    assert str(LONGEST_WAIT_S) in said


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey", "worker")
def test_message_is_followed_to_its_outcome(provider):
    printed, said = run("--send-to", "Ada@Example.com", "--wait", "30")
    lines = printed.splitlines()
    assert said == ""
    message = Message.objects.get()
    assert {"Ada@example.com:", str(message.id)} <= set(lines[1].split())
    last = Sighting(status=Status.SENT, provider="scripted", outcome=Outcome.DELIVERED)
    assert lines[-2].endswith(f" s  {last}")
    assert lines[-1].split()[:2] == [Level.GOOD, "test"]
    (mail,) = provider.taken
    assert mail.to_address == "ada@example.com"
    assert (message.stream, message.user, message.kind) == (Stream.CRITICAL, None, "provider-test")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey", "worker")
def test_message_that_dies_ends_with_an_error(provider):
    provider.script.append(ErrorClass.PERMANENT)
    printed, said = run("--send-to", "ada@example.com", "--wait", "30")
    shown = next(line for line in printed.splitlines() if line.split()[:2] == [Level.BAD, "test"])
    assert Status.DEAD in shown
    assert "permanent: scripted" in shown
    assert said


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey", "provider")
def test_message_without_a_worker_is_reported():
    printed, said = run("--send-to", "ada@example.com", "--wait", "0")
    assert f"   0.0 s  {Status.QUEUED}" in printed
    assert all(part in printed for part in WAITING[Status.QUEUED])
    assert said


def test_text_names_the_sender_and_the_command():
    context = {"sender": "ops", "sent_from": "a<b"}
    mail = render(Message(kind="provider-test", to_address="ada@example.com", context=context), attempt=1)
    for body in (mail.text, mail.html):
        assert "ops" in body
        assert "manage.py provider_check --send-to" in body
    assert "a<b" in mail.text
    assert "a&lt;b" in mail.html
