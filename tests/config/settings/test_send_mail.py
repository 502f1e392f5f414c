"""Django's send_mail() raises an error and prints nothing."""

import logging

import pytest
from django.core.mail import mail_admins, send_mail, send_mass_mail

from config.refusal import NotSentError
from config.settings import EMAIL_BACKEND

CANARY = "https://mail.example.com/password-reset/canary/"


@pytest.fixture(autouse=True)
def shipped(settings):
    """The shipped backend, instead of pytest-django's, which collects emails."""
    settings.EMAIL_BACKEND = EMAIL_BACKEND
    settings.ADMINS = [("Ada", "ada@example.com")]


@pytest.mark.parametrize(
    "send",
    [
        lambda **how: send_mail("canary", CANARY, None, ["canary@example.com"], **how),
        lambda **how: send_mass_mail([("canary", CANARY, None, ["canary@example.com"])], **how),
        lambda **how: mail_admins("canary", CANARY, **how),
    ],
)
def test_refused_email_is_not_shown(capsys, caplog, send):
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(NotSentError) as refused:
            send()
        assert not send(fail_silently=True)
    printed = capsys.readouterr()
    assert "canary" not in printed.out + printed.err + caplog.text + str(refused.value)
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


def test_sending_nothing_is_not_an_error():
    assert not send_mass_mail([])
