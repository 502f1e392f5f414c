"""Pages that need the database answer 503 when it is down, and nothing is half-written."""

import logging
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from config.logs import OUTAGE, DatabaseInOneLine
from notifications.models import Message, ProviderEvent
from tests.database.faults import TERMINATE, raising, read_only, refused, trouble
from tests.factories import UserFactory
from tests.scripted_webhook import ScriptedWebhook

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

FORM = {"email": "ada@example.com", "name": "Ada", "password": "correct horse battery"}
MESSAGE, USER = "notifications_message", "accounts_user"


def sign_up():
    return Client(raise_request_exception=False).post(reverse("accounts:sign-up"), FORM)


def is_clean(page):
    text = " ".join(page.content.decode().split())
    assert page.status_code == 503
    assert page["Retry-After"] == "10"
    assert re.search(r"\b10\b", text)
    assert "secret" not in text
    assert "Traceback" not in text
    return True


@pytest.fixture
def log(caplog):
    """Capture what is logged of a request, with the filter of the real handler."""
    caplog.handler.addFilter(one_line := DatabaseInOneLine())
    caplog.set_level(logging.WARNING)
    yield caplog
    caplog.handler.removeFilter(one_line)


# Before the user is written, between user and message, and when both are written but not committed.
EARLY, BETWEEN, LATE = (USER, False), (MESSAGE, False), (MESSAGE, True)


@pytest.mark.parametrize(
    ("place", "name", "body"),
    [
        (EARLY, "ReadOnlySqlTransaction", raising("25006")),
        (BETWEEN, "ReadOnlySqlTransaction", raising("25006")),
        (BETWEEN, "DiskFull", raising("53100")),
        (LATE, "DiskFull", raising("53100")),
        (EARLY, "TooManyConnections", raising("53300")),
        (BETWEEN, "QueryCanceled", raising("57014")),
        (BETWEEN, "LockNotAvailable", raising("55P03")),
        (LATE, "DeadlockDetected", raising("40P01")),
        (EARLY, "AdminShutdown", TERMINATE),
        (BETWEEN, "AdminShutdown", TERMINATE),
        (LATE, "AdminShutdown", TERMINATE),
    ],
)
def test_sign_up_that_the_database_refuses_answers_503_and_leaves_nothing(log, place, name, body):
    table, at_commit = place
    with trouble(table, body, at_commit=at_commit):
        assert is_clean(sign_up())
    assert (User.objects.count(), Message.objects.count()) == (0, 0)
    (line,) = [record for record in log.records if record.name == "django.request"]
    assert log.handler.format(line).endswith(OUTAGE.format(line="/sign-up/", error=name))
    assert sign_up().status_code == 302


def test_missing_table_is_an_error_and_no_outage(log):
    with trouble(MESSAGE, raising("42P01")):
        page = sign_up()
    assert page.status_code == 500
    assert "secret" not in page.content.decode()


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/sign-up/", FORM),
        ("/log-in/", {"username": "ada@example.com", "password": "correct horse battery"}),
        ("/password-reset/", {"email": "ada@example.com"}),
        ("/confirm/MQ/abc-def/", None),
        ("/", None),
        ("/admin/", None),
    ],
)
def test_page_that_needs_the_database_answers_503_without_it(path, form):
    person = Client(raise_request_exception=False)
    person.force_login(UserFactory())
    with refused():
        assert is_clean(person.get(path) if form is None else person.post(path, form))


def test_page_that_needs_no_database_is_served_without_one():
    with refused():
        assert Client().get("/sign-up/").status_code == 200
        assert Client().get("/healthz/live").status_code == 200


def test_log_in_answers_503_when_the_session_cannot_be_written():
    User.objects.create_user(FORM["email"], FORM["password"], confirmed_at=timezone.now())
    person = Client(raise_request_exception=False)
    with trouble("django_session", raising("25006")):
        assert is_clean(person.post("/log-in/", {"username": FORM["email"], "password": FORM["password"]}))


def test_site_with_a_read_only_database_is_alive_but_not_ready():
    with read_only():
        ready = Client().get("/healthz/ready")
        assert (ready.status_code, ready.content) == (503, b"database: read-only\n")
        assert Client().get("/healthz/live").status_code == 200
        assert is_clean(sign_up())
    assert Client().get("/healthz/ready").status_code == 200


@pytest.mark.parametrize("body", [raising("25006"), raising("53100"), TERMINATE])
def test_webhook_answers_503_when_its_events_cannot_be_stored(registered, body):
    registered("scripted", webhook=ScriptedWebhook)
    provider = Client(raise_request_exception=False)

    def report():
        return provider.post("/webhooks/scripted/", '[{"id": "e1"}]', content_type="application/json")

    with trouble("notifications_providerevent", body):
        assert is_clean(report())
    assert report().status_code == 200
    assert ProviderEvent.objects.count() == 1
