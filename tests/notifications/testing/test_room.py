"""A Mailroom delivers in the test's process, through the engine, without Redis."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.utils import timezone

from config import settings as settings_module
from notifications import Attachment, Draft, MessageChange, enqueue, message_changed
from notifications.models import Message, Suppression
from notifications.outbox import publish
from notifications.providers import registry
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status
from notifications.runtime.redis_client import cooldown
from notifications.testing import Mailroom, ReceiverFailedError, ReportedOutcome

ATTEMPT_LATER = timedelta(minutes=1)


def test_message_is_enqueued_and_delivered(mailroom, welcome, user):
    message = welcome(key="welcome:1")
    (found,) = mailroom.outbox
    assert (found.kind, found.to, found.user, found.key) == ("welcome", ["ada@example.com"], user, "welcome:1")
    mailroom.assert_enqueued("welcome", to=user.email, user=user, count=1)

    (email,) = mailroom.deliver()
    assert (email.kind, email.to, email.message) == ("welcome", ["ada@example.com"], message)
    assert email.subject
    assert "http" in email.text
    assert email.html.startswith("<")
    assert str(message.id) in email.headers["Message-ID"]
    assert mailroom.sent == [email]
    assert mailroom.deliver() == []
    assert mailroom.outbox[0].status is Status.SENT


def test_bulk_email_is_delivered_too(mailroom, user):
    enqueue(Draft(kind="product-news", to=user.email, user=user, context={"headline": "News", "paragraphs": ["Text"]}))
    (email,) = mailroom.deliver()
    assert "News" in email.subject


@pytest.mark.django_db(transaction=True)
def test_nothing_is_published_after_a_commit(valkey, mailroom, welcome):
    welcome()
    assert not any(publish.queue_depths().values())
    assert len(mailroom.deliver()) == 1


@pytest.mark.parametrize(
    ("failure", "status", "accepted"),
    [
        ("transient", Status.QUEUED, 0),
        ("rate-limited", Status.QUEUED, 0),
        ("misconfigured", Status.QUEUED, 0),
        ("permanent", Status.DEAD, 0),
        ("bad address", Status.DEAD, 0),
        ("lost answer", Status.UNCERTAIN, 1),
    ],
)
def test_provider_fails_as_asked(mailroom, welcome, failure, status, accepted):
    welcome()
    mailroom.provider.fail_next(failure)
    assert len(mailroom.deliver()) == accepted
    assert mailroom.outbox[0].status is status
    assert Suppression.objects.exists() is (failure == "bad address")


def test_unknown_failure_is_an_error(mailroom):
    with pytest.raises(ValueError, match="flood"):
        mailroom.provider.fail_next("flood")


def test_retry_succeeds_later(mailroom, welcome):
    welcome()
    mailroom.provider.fail_next("transient", times=2)
    assert mailroom.deliver() == []
    assert mailroom.deliver() == []
    assert mailroom.deliver(after=ATTEMPT_LATER) == []
    assert len(mailroom.deliver(after=ATTEMPT_LATER)) == 1
    assert Message.objects.get().attempts == 3


def test_provider_that_refused_us_is_probed_later(mailroom, welcome):
    welcome()
    mailroom.provider.fail_next("misconfigured")
    assert mailroom.deliver() == []
    assert len(mailroom.deliver(after=timedelta(minutes=5))) == 1


def test_lost_answer_is_settled_later(mailroom, welcome):
    welcome()
    mailroom.provider.fail_next("lost answer")
    mailroom.deliver()
    assert mailroom.deliver() == []
    assert len(mailroom.deliver(after=timedelta(hours=1))) == 1
    assert len(mailroom.sent) == 2


def test_scheduled_message_with_a_file_is_sent_at_its_time(mailroom):
    enqueue(
        Draft(
            kind="provider-test",
            to=["ada@example.com", "Grace <grace@example.com>"],
            cc="bob@example.com",
            attachments=[Attachment("order.pdf", b"%PDF")],
            context={"sender": "Grace", "sent_from": "here"},
            send_at=timezone.now() + timedelta(days=2),
        )
    )
    assert mailroom.deliver(after=timedelta(days=1)) == []
    (email,) = mailroom.deliver(after=timedelta(days=1, minutes=1))
    assert (email.to, email.cc) == (["ada@example.com", "grace@example.com"], ["bob@example.com"])
    assert email.attachments == [Attachment("order.pdf", b"%PDF")]


def test_old_message_expires(mailroom, welcome):
    welcome()
    assert mailroom.deliver(after=timedelta(days=400)) == []
    assert mailroom.outbox[0].status is Status.EXPIRED


@pytest.fixture
def changes():
    """The changes that a receiver of the application gets."""
    seen = []

    def note(change, **values):
        if change == "dead":
            raise RuntimeError
        seen.append(change)

    message_changed.connect(note)
    yield seen
    message_changed.disconnect(note)


def test_application_learns_of_changes(changes, mailroom, welcome):
    welcome()
    mailroom.deliver()
    assert changes == [MessageChange.SENT]


@pytest.mark.parametrize(
    ("report", "outcome", "suppressed"),
    [
        ("delivered", Outcome.DELIVERED, []),
        ("deferred", Outcome.DEFERRED, []),
        ("bounced", Outcome.BOUNCED, ["hard bounce"]),
        ("soft bounce", Outcome.BOUNCED, []),
        ("rejected", Outcome.REJECTED, []),
        ("complained", Outcome.COMPLAINED, ["complaint"]),
        ("unsubscribed", Outcome.UNKNOWN, ["unsubscribed"]),
    ],
)
def test_provider_reports_as_asked(changes, mailroom, welcome, report, outcome, suppressed):
    welcome()
    (email,) = mailroom.deliver()
    mailroom.report(email, report)
    assert Message.objects.get().outcome == outcome
    assert [one.reason for one in Suppression.objects.all()] == suppressed
    reported = {Outcome.DEFERRED, Outcome.UNKNOWN}
    assert changes == [MessageChange.SENT, *([] if outcome in reported else [MessageChange(outcome.value)])]


def test_provider_of_tests_has_no_webhook(mailroom, welcome):
    welcome()
    (email,) = mailroom.deliver()
    mailroom.report(email, ReportedOutcome.DELIVERED)
    assert not registry.reports("recording")


@pytest.mark.usefixtures("changes")
def test_receiver_that_fails_is_named(mailroom, welcome):
    welcome()
    mailroom.provider.fail_next("permanent")
    with pytest.raises(ReceiverFailedError, match="note: RuntimeError"):
        mailroom.deliver()


def test_guard_of_a_staging_system_is_off(settings, welcome, user):
    settings.ONLY_TO = ["example.org"]
    welcome()
    with Mailroom() as room:
        assert [email.to for email in room.deliver()] == [[user.email]]


def test_cleared_messages_are_hidden(mailroom, welcome):
    welcome()
    mailroom.deliver()
    mailroom.clear()
    assert (mailroom.outbox, mailroom.sent) == ([], [])
    mailroom.assert_not_enqueued("welcome")
    welcome()
    mailroom.assert_enqueued("welcome", count=1)
    assert len(mailroom.deliver()) == 1


def test_test_may_pause_in_a_debugger(mailroom, welcome):
    def limit():
        with connection.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            return cursor.fetchone()[0]

    before = limit()
    welcome()
    mailroom.provider.fail_next("permanent")
    mailroom.deliver()
    assert limit() == before


@pytest.mark.django_db
def test_next_test_finds_no_trace(settings):
    before = settings.EMAIL_PROVIDERS
    with Mailroom() as room:
        room.provider.fail_next("transient")
        assert publish.cooldown.active
        assert cooldown.active
    assert before == settings.EMAIL_PROVIDERS
    assert not publish.cooldown.active
    assert not cooldown.active
    with Mailroom() as room:
        enqueue(Draft(kind="provider-test", to="ada@example.com", context={"sender": "Grace", "sent_from": "here"}))
        assert len(room.deliver()) == 1


@pytest.mark.django_db
def test_email_of_django_is_enqueued_and_delivered(monkeypatch):
    monkeypatch.setattr(settings_module, "EMAIL_BACKEND", "notifications.backend.OutboxBackend")
    with Mailroom() as room:
        given = EmailMultiAlternatives("Hi", "Text", None, ["Ada <ada@example.com>", "bob@example.com"])
        given.attach_alternative("<p>Text</p>", "text/html")
        given.attach("order.pdf", b"%PDF", "application/pdf")
        given.send()
        (found,) = room.assert_enqueued("email", to=["ada@example.com", "bob@example.com"], subject="Hi")
        (email,) = room.deliver()
    assert (email.subject, email.text, email.html) == ("Hi", "Text", "<p>Text</p>")
    assert email.to == ["ada@example.com", "bob@example.com"]
    assert [file.content for file in email.attachments] == [file.content for file in found.attachments] == [b"%PDF"]
    assert mail.outbox == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["notifications.backend.OutboxBackend", "example.Backend"])
def test_backend_of_the_project_is_kept(monkeypatch, settings, name):
    monkeypatch.setattr(settings_module, "EMAIL_BACKEND", name)
    locmem = f"{EmailBackend.__module__}.{EmailBackend.__qualname__}"
    with Mailroom():
        assert (name if name.startswith("notifications.") else locmem) == settings.EMAIL_BACKEND
    assert locmem == settings.EMAIL_BACKEND


def test_settings_that_a_test_changes_end_with_it(settings, mailroom):
    # tests/conftest.py fails a test whose changes outlive it.
    settings.SITE_NAME = "Another shop"
    assert mailroom.outbox == []
