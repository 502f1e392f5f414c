"""What Django's functions return, raise and write with the outbox as their backend."""

import logging
from uuid import uuid4

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.log import AdminEmailHandler

from notifications.models import Message, MessageContent, Suppression
from notifications.outbox import resend
from notifications.providers.base.checked import BadHeaderError
from notifications.providers.base.compose import compose
from notifications.providers.base.given import BadContentError
from notifications.rules.addresses import BadAddressError
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from tests.notifications.backend.written import email, headers
from tests.notifications.delivery.delivering import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "outbox")]


def test_functions_of_django_return_what_they_return_with_smtp():
    one = ("Hi", "Text", "shop@example.com", ["ada@example.com"])
    assert mail.send_mail(*one, html_message="<p>Hi</p>", auth_user="a", auth_password="b") == 1
    assert mail.send_mass_mail([one, one, ("Hi", "Text", None, [])]) == 2
    assert mail.mail_admins("Hi", "Text") is None
    assert mail.mail_managers("Hi", "Text") is None
    assert email(to=[]).send() == 0
    assert get_connection().send_messages([]) == 0
    assert Message.objects.count() == 5
    assert set(Message.objects.values_list("kind", "status", "user")) == {("email", "queued", None)}


def test_one_email_is_one_message():
    email(
        to=["Ada <Ada@Example.com>", "bob@example.com"], cc=["c@example.com"], bcc=["d@example.com", "bob@example.com"]
    ).send()
    message = Message.objects.get()
    assert message.to_address == "ada@example.com"
    assert message.stored_content.further == ["bob@example.com", "c@example.com", "d@example.com"]


@pytest.mark.django_db(transaction=True)
def test_email_is_rolled_back_with_its_transaction():
    with transaction.atomic():
        email().send()
        transaction.set_rollback(True)
    assert not Message.objects.exists()
    assert not MessageContent.objects.exists()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"to": ["Ada"]}, BadAddressError),
        ({"subject": "canary\nBcc: eve@example.com"}, BadHeaderError),
        ({"headers": headers(stream="canary")}, BadContentError),
        ({"headers": headers(steam="bulk")}, BadContentError),
        ({"headers": headers(send_at="canary")}, BadContentError),
        ({"headers": headers(send_at="2026-12-24T18:00")}, BadContentError),
        ({"headers": headers(send_at="9999-12-24T18:00:00Z")}, BadContentError),
        ({"headers": headers(key="k" * 501)}, BadContentError),
        ({"headers": headers(key="half a character: \ud83c")}, BadContentError),
        ({"headers": {"X-Canary\nBcc": "eve@example.com"}}, BadHeaderError),
        ({"body": "x" * 1001}, BadContentError),
    ],
)
def test_bad_email_is_an_error_before_anything_is_written(caplog, settings, changes, error):
    settings.EMAIL_MAX_BYTES = 1000
    good, bad = email(), email(**changes)
    with pytest.raises(error):
        get_connection().send_messages([good, bad])
    assert not Message.objects.exists()
    with caplog.at_level(logging.ERROR):
        assert get_connection(fail_silently=True).send_messages([bad, good]) == 1
    assert Message.objects.count() == 1
    assert error.__name__ in caplog.text
    assert "canary" not in caplog.text


def test_silent_failure_is_logged_once_where_the_log_is_sent_by_email(settings):
    settings.SERVER_EMAIL = "root@localhost"
    handler = AdminEmailHandler()
    backend = logging.getLogger("notifications.backend")
    backend.addHandler(handler)
    try:
        assert email(to=["Ada"]).send(fail_silently=True) == 0
    finally:
        backend.removeHandler(handler)


def test_attribute_of_another_type_is_a_silent_failure_too():
    broken = email()
    broken.cc = None
    assert get_connection(fail_silently=True).send_messages([broken, email()]) == 1


def test_silent_failure_leaves_the_callers_transaction_usable():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE notifications_message ADD CHECK (stream <> 'bulk') NOT VALID")
    with transaction.atomic():
        assert email(headers=headers(stream="bulk")).send(fail_silently=True) == 0
        assert email().send() == 1
    assert Message.objects.count() == 1


@pytest.mark.parametrize(("stream", "first"), [("bulk", "bob@example.com"), ("default", "ada@example.com")])
def test_unsubscribed_first_recipient_does_not_stop_bulk_to_the_others(stream, first):
    Suppression.objects.create(address="ada@example.com", reason=Reason.UNSUBSCRIBED)
    email(to=["ada@example.com", "bob@example.com"], headers=headers(stream=stream)).send()
    message = Message.objects.get()
    assert (message.to_address, message.status) == (first, Status.QUEUED)


def test_suppressed_recipients_are_left_out_and_do_not_stop_the_others(provider):
    for address in ("ada@example.com", "d@example.com"):
        Suppression.objects.create(address=address, reason=Reason.HARD_BOUNCE)
    email(to=["ada@example.com", "Bob <bob@example.com>"], cc=["d@example.com"]).send()
    message = Message.objects.get()
    assert message.to_address == "bob@example.com"
    run(message)
    assert provider.taken[0].to_address == "bob@example.com"
    assert not {one.address for one in (*provider.taken[0].more_to, *provider.taken[0].cc)}


def test_staging_guard_redirects_the_email(provider, settings):
    settings.ONLY_TO, settings.REDIRECT_TO = ["bob@example.com"], "staging@example.com"
    email(to=["ada@example.com", "bob@example.com"], cc=["c@example.com"]).send()
    run(Message.objects.get())
    composed = compose(provider.taken[0])
    assert composed.envelope[1] == ["staging@example.com", "bob@example.com"]
    assert (composed.to, composed.cc) == (["staging@example.com", "bob@example.com"], [])


def test_staging_guard_redirects_only_those_who_must_get_none(provider, settings):
    settings.ONLY_TO, settings.REDIRECT_TO = ["bob@example.com"], "staging@example.com"
    email(to=["bob@example.com"], cc=["c@example.com"]).send()
    run(Message.objects.get())
    composed = compose(provider.taken[0])
    assert composed.envelope[1] == ["bob@example.com", "staging@example.com"]
    assert (composed.to, composed.cc) == (["bob@example.com"], ["staging@example.com"])


def test_resend_goes_to_the_address_that_is_chosen(provider):
    email(to=["ada@example.com", "bob@example.com"]).send()
    message = Message.objects.get()
    run(message)
    message.refresh_from_db()
    run(resend(message, uuid4(), to="eve@example.com"))
    assert compose(provider.taken[1]).envelope[1] == ["eve@example.com", "bob@example.com"]


def test_email_only_to_suppressed_recipients_is_suppressed():
    Suppression.objects.create(address="ada@example.com", reason=Reason.COMPLAINT)
    email().send()
    assert Message.objects.get().status == Status.SUPPRESSED


def test_one_address_gets_any_number(provider, settings):
    settings.EMAIL_ADDRESS_HOURLY = 1
    mail.send_mass_mail([("Hi", "Text", None, ["ada@example.com"])] * 3)
    run(*Message.objects.all())
    assert len(provider.taken) == 3


def test_statements_do_not_depend_on_the_number_of_emails():
    with CaptureQueriesContext(connection) as few:
        email().send()
    with CaptureQueriesContext(connection) as many:
        get_connection().send_messages([email() for _ in range(20)])
    # A savepoint and its release.
    assert len(many) <= len(few) + 2


def test_alternatives_and_files_are_stored_compressed():
    order = EmailMultiAlternatives("Hi", "Text", "shop@example.com", ["ada@example.com"])
    order.attach_alternative("<p>Hi</p>", "text/html")
    order.attach("a.bin", b"x" * 100_000, "application/octet-stream")
    order.send()
    assert len(bytes(MessageContent.objects.get().packed)) < 2000
