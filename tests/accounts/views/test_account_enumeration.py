"""No account enumeration: every page does the same for addresses with and without an account."""

import re

import pytest
import time_machine
from django.contrib.auth import hashers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from notifications.bounce_brake import brake
from notifications.models import Message

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
VALUES = re.compile(r"'(?:[^']|'')*'(?:::\w+)?|\b\d+(?:\.\d+)?\b|\bNULL\b")

FORMS = {
    "sign-up": {"email": "ada@example.com", "name": "Ada", "password": PASSWORD},
    "password-reset": {"email": "ada@example.com"},
    "confirm-again": {"email": "ada@example.com"},
}
ACCOUNTS = {
    "confirmed": {"confirmed_at": timezone.now()},
    "unconfirmed": {},
    "closed": {"confirmed_at": timezone.now(), "is_active": False},
}


def people(account):
    brake.reset()
    Message.objects.all().delete()
    User.objects.all().delete()
    if account:
        user = User(email="ada@example.com", **ACCOUNTS[account])
        user.set_password("another good password")
        User.objects.bulk_create([user])


def without_values(statement):
    """Return the SQL without its values, and whether it succeeded."""
    if "SAVEPOINT" in statement:
        return "the end of a part" if " TO " in statement or "RELEASE" in statement else "the beginning of a part"
    if statement.startswith(('INSERT INTO "accounts_user"', 'UPDATE "accounts_user"')):
        return "a write to a user's row"
    return VALUES.sub("?", statement)


def what_it_takes(page, fields, monkeypatch, django_capture_on_commit_callbacks):
    """Return everything that a client can measure of a form's POST and the next page."""
    client = Client()
    hashed = []
    encode = hashers.MD5PasswordHasher.encode
    monkeypatch.setattr(
        hashers.MD5PasswordHasher, "encode", lambda self, *args: hashed.append(1) or encode(self, *args)
    )
    with (
        CaptureQueriesContext(
            connection,
        ) as queries,
        django_capture_on_commit_callbacks() as callbacks,
    ):
        answer = client.post(reverse(f"accounts:{page}"), fields)
    monkeypatch.undo()
    # Before the next request empties the list.
    statements = [without_values(query["sql"]) for query in queries]
    cookies = {name: len(cookie.value) for name, cookie in answer.cookies.items()}
    follows = client.get(answer["Location"])
    # Without the token, the elapsed seconds and the message's random id.
    text = re.sub(r'value="[\w-]{20,}"|data-wait-s="\d+"|-[0-9a-f-]{36}"', "", follows.content.decode())
    return answer.status_code, answer["Location"], statements, len(hashed), len(callbacks), cookies, text


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("page", FORMS)
@time_machine.travel("2026-11-24 12:00", tick=False)
def test_page_does_the_same_with_and_without_an_account(
    page, account, monkeypatch, settings, django_capture_on_commit_callbacks
):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    taken = []
    for state in (None, account):
        people(state)
        taken.append(what_it_takes(page, FORMS[page], monkeypatch, django_capture_on_commit_callbacks))
    without, with_one = taken
    for measured, compared in zip(with_one, without, strict=True):
        assert measured == compared
    assert any("INSERT INTO notifications_message" in statement for statement in without[2])
    assert without[3] == (1 if page == "sign-up" else 0)
    # One publishes, the other sends message_changed.
    assert without[4] == 2
    assert Message.objects.count() == 1
