"""Old rows are deleted in small batches; what is waiting, unsettled or in force stays."""

from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from math import inf
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_celery_results.models import GroupResult, TaskResult

from notifications import kept_for
from notifications.conf.value_checks import check_days_kept
from notifications.events import suppress
from notifications.models import (
    DeliveryAttempt,
    Message,
    MessageContent,
    PendingChange,
    ProviderEvent,
    Suppression,
)
from notifications.operations import retention
from notifications.outbox import Draft, enqueue
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from tests.factories import MessageFactory
from tests.notifications.operations.old_rows import ago, event, exists, message
from tests.notifications.operations.rolled_up import counted_finally

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def every_hour_is_counted(db):
    counted_finally()


ENDED = [Status.SENT, Status.SUPPRESSED, Status.EXPIRED, Status.CANCELLED]
OPEN = [Status.QUEUED, Status.UNCERTAIN]


def result(*, days):
    made = TaskResult.objects.create(task_id=str(uuid4()))
    TaskResult.objects.filter(pk=made.pk).update(date_done=ago(days))


@pytest.mark.parametrize("status", ENDED)
def test_ended_message_is_deleted_with_its_attempts_and_events(status):
    old, young = message(status), message(status, days=179)
    for each in (old, young):
        attempt = {"message": each, "number": 1, "provider": "scripted", "result": "accepted"}
        DeliveryAttempt.objects.create(**attempt, recorded_at=ago(1))
        event(each, days=1)
    assert retention.delete_old_rows() == "1 messages"
    assert list(Message.objects.all()) == [young]
    assert DeliveryAttempt.objects.get().message == ProviderEvent.objects.get().message == young


@pytest.mark.parametrize("status", OPEN)
def test_open_message_stays_however_old_it_is(status):
    old = message(status, days=5000)
    retention.delete_old_rows()
    assert exists(old)


def test_message_that_is_being_sent_stays():
    old = MessageFactory(sending=True, created_at=ago(5000), due_at=ago(5000))
    retention.delete_old_rows()
    assert exists(old)


def test_message_that_was_sent_long_after_it_was_written_is_kept_from_then_on():
    replayed, scheduled = message(sent_at=ago(1)), message(Status.CANCELLED, due_at=ago(1))
    retention.delete_old_rows()
    assert exists(replayed)
    assert exists(scheduled)


def test_dead_letter_has_a_time_of_its_own():
    kept, deleted = message(Status.DEAD, days=300), message(Status.DEAD, days=400)
    assert retention.delete_old_rows() == "1 dead letters"
    assert exists(kept)
    assert not exists(deleted)


def test_events_and_results_are_deleted_and_unread_events_stay():
    old = message(days=100)
    for state in ("applied", "foreign", "unreadable", "stored", "parked"):
        event(old if state == "applied" else None, days=91, state=state)
        event(days=89, state=state)
    result(days=8)
    result(days=6)
    for days in (6, 8):
        group = GroupResult.objects.create(group_id=str(uuid4()))
        GroupResult.objects.filter(pk=group.pk).update(date_done=ago(days))
    counts = dict(reversed(part.split(" ", 1)) for part in retention.delete_old_rows().split(", "))
    assert counts == {"events": "3", "task results": "1", "group results": "1"}
    assert sorted(ProviderEvent.objects.values_list("state", flat=True)) == sorted(
        ["applied", "foreign", "unreadable", *["stored", "parked"] * 2]
    )
    assert (TaskResult.objects.count(), GroupResult.objects.count()) == (1, 1)
    assert exists(old)


def test_changes_are_deleted_that_no_process_handles():
    message_id = message(days=1).id
    for days in (8, 6):
        PendingChange.objects.create(message_id=message_id, change="sent", at=ago(30), due_at=ago(days))
    assert retention.delete_old_rows() == "1 changes"
    assert PendingChange.objects.count() == 1


def test_suppression_outlives_the_event_that_caused_it():
    bounced = message()
    cause = event(bounced, bounce="hard")
    suppress.suppress("ada@example.com", Reason.HARD_BOUNCE, "no such mailbox")
    Suppression.objects.update(event=cause)
    retention.delete_old_rows()
    assert not exists(cause)
    assert Suppression.objects.get().event_id is None


def test_copy_outlives_the_message_that_it_was_made_of():
    old = message()
    copy = message(days=1, resend_of=old)
    retention.delete_old_rows()
    copy.refresh_from_db()
    assert copy.resend_of_id is None


def test_nothing_is_deleted_with_zero(settings):
    settings.KEEP_MESSAGES_DAYS = settings.KEEP_DEAD_LETTERS_DAYS = 0
    settings.KEEP_EVENTS_DAYS = settings.KEEP_RESULTS_DAYS = 0
    rows = [message(), message(Status.DEAD, days=5000), event(days=5000)]
    result(days=5000)
    assert retention.delete_old_rows() == ""
    assert all(map(exists, rows))
    assert kept_for() is None


@pytest.mark.parametrize(("days", "errors"), [(0, 0), (1, 1), (29, 1), (30, 0), (3650, 0)])
def test_days_that_are_too_few_are_refused(days, errors):
    assert len(list(check_days_kept("KEEP_MESSAGES_DAYS", days))) == errors


def test_key_holds_until_its_message_is_deleted():
    def again(key):
        return enqueue(Draft(kind="provider-test", to="ada@example.com", key=key))

    same = {"kind": "provider-test", "user": None, "to_address": "ada@example.com"}
    message(days=179, idempotency_key="young", **same)
    message(days=181, idempotency_key="old", **same)
    retention.delete_old_rows()
    assert not again("young").is_new
    assert again("old").is_new


def test_rows_are_deleted_in_batches_and_each_batch_reads_on(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for days in range(200, 205):
        message(days=days)
    seen = []
    assert retention.delete_old_rows(report=lambda name, count: seen.append((name, count))) == "5 messages"
    assert seen == [("messages", 2), ("messages", 4), ("messages", 5)]


def test_run_ends_after_its_time(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for days in range(200, 205):
        message(days=days)
    assert retention.delete_old_rows(time_limit_s=-1) == ""
    assert retention.delete_old_rows(time_limit_s=inf) == "5 messages"


def test_batch_costs_the_same_few_statements_for_any_number_of_rows():
    def statements(count):
        for _ in range(count):
            event(message(days=201), days=1)
        with CaptureQueriesContext(connection) as captured:
            assert retention.delete_old_rows() == f"{count} messages"
        return len(captured)

    assert statements(2) == statements(50)


@pytest.mark.django_db(transaction=True)
def test_locked_message_is_left_to_the_next_run():
    old = message()
    with transaction.atomic():
        Message.objects.select_for_update().get(pk=old.pk)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_prune_in_another_connection).result()
    assert exists(old)
    retention.delete_old_rows()
    assert not exists(old)


def _prune_in_another_connection():
    try:
        retention.delete_old_rows()
    finally:
        connection.close()


def test_command_counts_first_and_then_deletes(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 1)
    monkeypatch.setattr("notifications.management.commands.prune.REPORT_EVERY", 2)
    rows = [message(), message(), message()]
    out = StringIO()
    call_command("prune", dry_run=True, stdout=out)
    assert {line.split()[1]: int(line.split()[0]) for line in out.getvalue().splitlines()} == {
        "messages": 3, "dead": 0, "events": 0, "changes": 0, "shadow": 0, "task": 0, "group": 0, "contents": 0,
    }  # fmt: skip
    assert all(map(exists, rows))
    out = StringIO()
    call_command("prune", stdout=out)
    assert [line.split()[0] for line in out.getvalue().splitlines()] == ["2", "3"]
    assert not Message.objects.exists()


def content(of):
    Message.objects.filter(id=of.id).update(has_content=True)
    return MessageContent.objects.create(
        message=of, packed=b"x", further=["bob@example.com"], left_out=["bob@example.com"], digest="a digest"
    )


def aged(row, days=8):
    MessageContent.objects.filter(pk=row.pk).update(created_at=ago(days))


@pytest.mark.parametrize("status", ENDED)
def test_content_of_an_ended_message_is_deleted_and_its_digest_stays(status):
    old, young = content(message(status, days=8)), content(message(status, days=6))
    aged(old)
    aged(young, days=6)
    assert retention.delete_old_rows() == "1 contents"
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.packed, old.further, old.left_out, old.digest) == (None, [], [], "a digest")
    assert young.packed is not None
    assert Message.objects.count() == 2
    assert retention.delete_old_rows() == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Status.QUEUED},
        {"status": Status.UNCERTAIN},
        {"status": Status.DEAD},
        {"status": Status.CANCELLED, "due_at": ago(6)},
        {"status": Status.SENT, "sent_at": ago(6)},
    ],
)
def test_content_that_may_be_needed_stays(fields):
    kept = content(message(**{"days": 8} | fields))
    aged(kept)
    retention.delete_old_rows()
    kept.refresh_from_db()
    assert kept.packed is not None


def test_content_is_kept_as_long_as_its_message_if_the_site_says_so(settings):
    settings.KEEP_CONTENT_DAYS = 0
    kept, gone = content(message(days=100)), content(message())
    aged(kept, days=100)
    assert retention.delete_old_rows() == "1 messages"
    assert list(MessageContent.objects.all()) == [kept]
    assert not exists(gone)
