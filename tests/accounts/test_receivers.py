"""Which ways of making a user send a welcome email, as in docs/reference/welcome-emails.md."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from accounts.emails import PASSWORD_RESET, enqueue_email
from accounts.models import User
from notifications.models import Message
from notifications.rules.addresses import BadAddressError
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def by_form(client, admin_client, monkeypatch):
    client.post(reverse("accounts:sign-up"), {"email": "ada@example.com", "password": PASSWORD})


def by_admin(client, admin_client, monkeypatch):
    fields = {"email": "ada@example.com", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    admin_client.post(reverse("admin:accounts_user_add"), fields)


def by_createsuperuser(client, admin_client, monkeypatch):
    call_command("createsuperuser", interactive=False, email="ada@example.com", verbosity=0)


def in_a_shell(client, admin_client, monkeypatch):
    User.objects.create_user("ada@example.com", PASSWORD)


def by_fixture(client, admin_client, monkeypatch):
    row = {"model": "accounts.user", "fields": {"email": "ada@example.com", "password": "!"}}
    monkeypatch.setattr("sys.stdin", StringIO(json.dumps([row])))
    call_command("loaddata", "-", format="json", verbosity=0)


def by_bulk_create(client, admin_client, monkeypatch):
    User.objects.bulk_create([User(email="ada@example.com")])


@pytest.mark.parametrize(
    ("way", "emails"),
    [
        (by_form, 1),
        (by_admin, 1),
        (by_createsuperuser, 1),
        (in_a_shell, 1),
        # A fixture restores users who already got their email.
        (by_fixture, 0),
        # Django sends no signal; `manage.py enqueue_missing` enqueues it.
        (by_bulk_create, 0),
    ],
)
def test_welcome_email_for_every_way_to_create_a_user(client, admin_client, monkeypatch, way, emails):
    way(client, admin_client, monkeypatch)
    user = User.objects.get(email="ada@example.com")
    assert Message.objects.filter(user=user, kind="welcome").count() == emails


def test_saving_a_user_again_enqueues_no_second_email():
    user = User.objects.create_user("ada@example.com")
    user.name = "Ada"
    user.save()
    assert Message.objects.count() == 1


def test_missing_welcome_emails_are_enqueued_once():
    for user in UserFactory.create_batch(3):
        user.refresh_from_db()
    UserFactory(is_active=False)
    UserFactory(confirmed_at="2026-01-01T00:00Z")
    User.objects.create_user("welcomed@example.com")
    out = StringIO()
    call_command("enqueue_missing", dry_run=True, stdout=out)
    assert Message.objects.count() == 1
    call_command("enqueue_missing", stdout=out)
    call_command("enqueue_missing", stdout=out)
    assert [line.split()[0] for line in out.getvalue().splitlines()] == ["3", "3", "0"]


def test_user_whose_welcome_email_may_be_deleted_gets_no_second_one(settings):
    (user,) = UserFactory.create_batch(1, date_joined=timezone.now() - timedelta(days=181))
    out = StringIO()
    call_command("enqueue_missing", stdout=out)
    assert [line.split()[0] for line in out.getvalue().splitlines()] == ["1", "0"]
    assert not Message.objects.exists()
    call_command("enqueue_missing", all=True, stdout=out)
    assert Message.objects.get().user == user
    Message.objects.all().delete()
    settings.KEEP_MESSAGES_DAYS = 0
    call_command("enqueue_missing", stdout=out)
    assert Message.objects.get().user == user


def test_email_of_a_flow_becomes_a_message():
    user = UserFactory()
    enqueue_email(PASSWORD_RESET, user, user.email)
    message = Message.objects.get()
    assert (message.kind, message.stream, message.user) == ("password-reset", "critical", user)


def test_failed_enqueue_rolls_back_the_change():
    with pytest.raises(BadAddressError):
        enqueue_email(PASSWORD_RESET, UserFactory(), "a@b.com,c@d.com")
    assert not Message.objects.exists()
