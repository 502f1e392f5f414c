"""Django's send_mail() queues the email, and prints and logs nothing of it."""

import logging

import pytest
from django.core.mail import mail_admins, send_mail, send_mass_mail

from config.settings import EMAIL_BACKEND
from notifications.models import Message

CANARY = "https://mail.example.com/password-reset/canary/"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture(autouse=True)
def shipped(settings):
    """The shipped backend, instead of pytest-django's, which collects emails."""
    settings.EMAIL_BACKEND = EMAIL_BACKEND
    settings.ADMINS = [("Ada", "ada@example.com")]


def write_to_admins():
    mail_admins("canary", CANARY)
    return 1


@pytest.mark.parametrize(
    "send",
    [
        lambda: send_mail("canary", CANARY, None, ["canary@example.com"]),
        lambda: send_mass_mail([("canary", CANARY, None, ["canary@example.com"])]),
        write_to_admins,
    ],
)
def test_email_is_queued_and_not_shown(capsys, caplog, send):
    with caplog.at_level(logging.DEBUG):
        assert send() == 1
    printed = capsys.readouterr()
    assert Message.objects.get().kind == "email"
    assert "canary" not in printed.out + printed.err + caplog.text


def test_sending_nothing_is_not_an_error():
    assert not send_mass_mail([])
