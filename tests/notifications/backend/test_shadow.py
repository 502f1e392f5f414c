"""With ShadowBackend, each email is sent once, and the present backend works as before."""

import logging
from smtplib import SMTPDataError

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core import mail
from django.core.mail import EmailMessage, get_connection
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from notifications.models import Message, MessageContent, ShadowCopy
from notifications.operations.shadow_report import shadow_report
from notifications.rules.addresses import BadAddressError
from notifications.rules.shadow import KIND
from tests.notifications.backend.old import CHANGED, OldBackend

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

OLD = f"{OldBackend.__module__}.{OldBackend.__qualname__}"


@pytest.fixture(autouse=True)
def old(settings, monkeypatch):
    settings.EMAIL_BACKEND, settings.SHADOWED_BACKEND = "notifications.backend.ShadowBackend", OLD
    for name in ("taken", "calls"):
        monkeypatch.setattr(OldBackend, name, [])
    monkeypatch.setattr(OldBackend, "answer", staticmethod(len))
    return OldBackend


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    return lambda: django_capture_on_commit_callbacks(execute=True)


def email(**changes):
    own = {"subject": "Hi", "body": "Text", "from_email": "shop@example.com", "to": ["ada@example.com"]}
    return EmailMessage(**own | changes)


def copies():
    return list(ShadowCopy.objects.order_by("id"))


@pytest.mark.parametrize("answer", [1, 0, None, ["a task of another queue"]])
def test_answer_of_the_present_backend_is_returned(old, committed, monkeypatch, answer):
    monkeypatch.setattr(old, "answer", answer)
    sent = email()
    with committed():
        assert get_connection().send_messages([sent]) == answer
    assert old.taken == [sent]
    (copy,) = copies()
    assert (copy.old_error, copy.new_error) == ("not sent" if answer == 0 else "", "")
    message = Message.objects.get(id=copy.id)
    assert (message.kind, message.to_address, message.status) == (KIND, "ada@example.com", "queued")
    # As it was before the backend changed it.
    assert MessageContent.objects.get(message=message).digest
    assert sent.subject == CHANGED


def test_exception_of_the_present_backend_is_raised(old, committed, monkeypatch):
    error = SMTPDataError(554, b"no")
    monkeypatch.setattr(old, "answer", error)
    with committed(), pytest.raises(SMTPDataError) as raised:
        email().send()
    assert raised.value is error
    assert [copy.old_error for copy in copies()] == ["SMTPDataError"]


def test_some_of_several_are_not_accepted(old, committed, monkeypatch):
    monkeypatch.setattr(old, "answer", 2)
    with committed():
        assert get_connection().send_messages([email(), email(), email(), email(to=[])]) == 2
    assert len(old.taken) == 4
    assert sorted(copy.old_error for copy in copies()) == ["", "", "not sent"]


def test_present_backend_gets_its_options(old):
    mail.send_mail("Hi", "Text", None, ["ada@example.com"], fail_silently=True, auth_user="u", auth_password="p")
    with get_connection(fail_silently=False, host="mail.example.com", stream="bulk"):
        pass
    assert old.calls == [
        ("created", True, {"username": "u", "password": "p"}),
        ("created", False, {"host": "mail.example.com"}),
        ("open",),
        ("close",),
    ]


def test_transaction_of_the_caller_has_no_statement_of_a_copy(old):
    with (
        CaptureQueriesContext(
            connection,
        ) as queries,
        transaction.atomic(),
    ):
        assert email(to=["ada@example.com", "bob@example.com"]).send() == 1
        transaction.set_rollback(True)
    assert not [query for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(old.taken) == 1
    assert copies() == []


def test_broken_transaction_of_the_caller_does_not_matter(old):
    with transaction.atomic():
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        assert email().send() == 1
        transaction.set_rollback(True)
    assert len(old.taken) == 1


def test_email_of_a_rolled_back_transaction_is_no_difference(old, committed):
    with committed():
        email().send()
    with transaction.atomic():
        email().send()
        transaction.set_rollback(True)
    ShadowCopy.objects.update(composed_at=Now(), differences=[])
    report = shadow_report(hours=1, most=5)
    assert (len(old.taken), report.copies, report.is_equal, report.findings) == (2, 1, True, ())


@pytest.mark.django_db(transaction=True)
def test_asynchronous_code_sends_in_a_thread():
    async def view():
        return await sync_to_async(email().send)()

    assert async_to_sync(view)() == 1
    assert len(copies()) == 1


@pytest.mark.django_db(transaction=True)
def test_email_sent_in_an_event_loop_is_sent_all_the_same(old, caplog):
    # The present backend may block the loop; a query may not.
    async def view():
        return email().send()

    assert async_to_sync(view)() == 1
    assert (len(old.taken), copies()) == (1, [])
    assert any("SynchronousOnlyOperation" in record.getMessage() for record in caplog.records)


@pytest.mark.django_db(transaction=True)
def test_database_that_fails_does_not_matter(old, caplog):
    def fail(execute, sql, params, many, context):
        raise OperationalError("canary")

    with connection.execute_wrapper(fail):
        assert email().send() == 1
    assert len(old.taken) == 1
    assert not ShadowCopy.objects.exists()
    logged = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert any("OperationalError" in line for line in logged)
    assert "canary" not in "".join(logged)


def test_email_that_cannot_be_queued_is_sent_and_counted(old, committed):
    special = email(subject="canary")
    special.merge_data = {"ada@example.com": {"name": "Ada"}}
    with committed():
        assert get_connection().send_messages([special, email()]) == 2
    assert len(old.taken) == 2
    assert sorted(copy.new_error for copy in copies()) == ["", "BadEmailMessageError"]
    assert Message.objects.filter(kind=KIND).count() == 1


def test_message_that_cannot_be_written_is_counted(old, committed, monkeypatch, settings):
    def fail(execute, sql, params, many, context):
        if sql.lstrip().startswith("WITH new"):
            raise OperationalError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail), committed():
        assert email().send() == 1
    assert [copy.new_error for copy in copies()] == ["OperationalError"]
    assert not Message.objects.exists()


@pytest.mark.parametrize("percent", [0, 30, 100])
def test_each_email_is_sent_by_one_side(old, committed, settings, percent):
    settings.SHADOW_PERCENT = percent
    emails = [email(to=[f"User {number} <user{number}@example.com>"]) for number in range(40)]
    with committed():
        assert get_connection().send_messages(emails) == 40
        assert get_connection().send_messages(emails) == 40
    theirs = sorted(one.to[0].partition("<")[2].rstrip(">") for one in old.taken)
    ours = sorted(Message.objects.filter(kind="email").values_list("to_address", flat=True))
    assert sorted(theirs + ours) == sorted(2 * [f"user{number}@example.com" for number in range(40)])
    assert set(theirs).isdisjoint(ours)
    assert sorted(Message.objects.filter(kind=KIND).values_list("to_address", flat=True)) == theirs
    assert bool(ours) == (percent > 0)
    assert bool(theirs) == (percent < 100)


def test_email_that_mailroom_refuses_keeps_all_from_being_sent(old, settings):
    settings.SHADOW_PERCENT = 50
    # One goes each way: whatever the hash says.
    addresses = [f"user{number}@example.com" for number in range(20)]
    with pytest.raises(BadAddressError):
        get_connection().send_messages([email(to=[address, "no address"]) for address in addresses])
    assert old.taken == []
    assert not Message.objects.exists()


def test_headers_for_mailroom_choose_the_queue_of_a_copy(committed):
    with committed():
        email(headers={"X-Mailroom-Stream": "bulk", "X-Mailroom-Key": "order:1"}).send()
        email(headers={"X-Mailroom-Stream": "bulk", "X-Mailroom-Key": "order:1"}).send()
    found = Message.objects.values_list("stream", "send_at", "idempotency_key")
    assert {(stream, send_at) for stream, send_at, _ in found} == {("bulk", None)}
    assert len(found) == 2
    assert all(key.startswith(f"{KIND}:") for *_, key in found)
