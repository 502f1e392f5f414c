"""Scheduled messages are moved and cancelled by key or id, and sent when they are due."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from notifications import BadContentError, Draft, cancel, enqueue, kinds, reschedule
from notifications.delivery.facts import gather
from notifications.kinds import Kind
from notifications.models import Message
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from tests.factories import MessageFactory, UserFactory
from tests.notifications.delivery.delivering import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

SOON, LATER = datetime.now(UTC) + timedelta(days=30), datetime.now(UTC) + timedelta(days=60)
CONTEXT = {"sender": "An operator", "sent_from": "host-1.example.com"}
REMINDED = []


@pytest.fixture
def reminder(monkeypatch):
    monkeypatch.setattr(kinds, "KINDS", dict(kinds.KINDS))
    kind = Kind(
        name="provider-test",
        stream=Stream.DEFAULT,
        max_age=timedelta(hours=1),
        is_relevant=lambda user: user.pk not in REMINDED,
        requires_account=False,
    )
    kinds.KINDS[kind.name] = kind
    user = UserFactory()
    return Draft(kind=kind.name, to=user.email, user=user, key="reminder:1", send_at=SOON, context=CONTEXT)


@pytest.mark.parametrize("by", ["key", "id"])
def test_scheduled_message_is_moved(reminder, by):
    message = enqueue(reminder)
    assert reschedule(reminder.key if by == "key" else message.id, LATER) is True
    row = Message.objects.get()
    assert (row.send_at, row.due_at, row.relay_after) == (LATER, LATER, LATER)
    assert row.expires_at == LATER + timedelta(hours=1)


def test_message_moved_into_the_past_is_due_now_and_has_its_whole_time(reminder):
    enqueue(reminder)
    Message.objects.update(created_at=Now() - timedelta(days=20))
    assert reschedule(reminder.key, datetime(2020, 1, 1, tzinfo=UTC)) is True
    row = Message.objects.get()
    assert row.expires_at - row.due_at == timedelta(hours=1)
    ((_, facts),) = gather([row])
    assert facts.age_s < 3600
    assert not facts.expired


@pytest.mark.parametrize(
    "fields",
    [
        {"sending": True},
        {"attempts": 1},
        {"status": Status.CANCELLED},
        {"slowed_until": Now()},
    ],
)
def test_message_that_was_tried_or_is_held_stays(fields):
    message = MessageFactory(**fields)
    before = Message.objects.get()
    assert reschedule(message.id, LATER) is False
    assert Message.objects.get().due_at == before.due_at


def test_unknown_key_is_neither_moved_nor_cancelled():
    assert (reschedule("no such key", LATER), cancel("no such key")) == (False, False)


@pytest.mark.parametrize(
    "at",
    [
        datetime(2030, 1, 1),  # noqa: DTZ001 - that is the error
        date(2030, 1, 1),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_time_that_cannot_be_stored_is_refused(reminder, at):
    enqueue(reminder)
    with pytest.raises(BadContentError):
        reschedule(reminder.key, at)
    assert Message.objects.get().send_at == SOON


def test_cancelled_message_leaves_the_queue_of_the_bounce_brake():
    message = MessageFactory(slowed_until=Now() + timedelta(days=1), slowed_for="client")
    assert cancel(message.id) is True
    row = Message.objects.get()
    assert (row.status, row.slowed_until, row.slowed_for) == (Status.CANCELLED, None, "")


def test_scheduled_message_is_cancelled_by_its_key(reminder):
    enqueue(reminder)
    assert (cancel(reminder.key), cancel(reminder.key)) == (True, False)
    assert Message.objects.get().status == Status.CANCELLED


def test_key_that_looks_like_an_id_is_a_key():
    message, other = MessageFactory(), MessageFactory()
    Message.objects.filter(id=other.id).update(idempotency_key=str(message.id))
    assert cancel(str(message.id)) is True
    assert set(Message.objects.values_list("id", "status")) == {(message.id, "queued"), (other.id, "cancelled")}


def let_time_pass():
    Message.objects.update(
        **{name: F(name) - timedelta(days=30) for name in ("send_at", "due_at", "relay_after", "expires_at")},
        created_at=F("created_at") - timedelta(days=30),
    )


def test_scheduled_message_is_sent_when_due_and_not_before(reminder, provider):
    message = enqueue(reminder)
    run(message)
    assert provider.taken == []
    let_time_pass()
    run(message)
    assert len(provider.taken) == 1
    assert Message.objects.get().status == Status.SENT


def test_relevance_is_decided_when_the_message_is_due(reminder, provider):
    message = enqueue(reminder)
    let_time_pass()
    REMINDED.append(reminder.user.pk)
    run(message)
    assert provider.taken == []
    assert Message.objects.get().status == Status.CANCELLED


def test_failure_of_a_scheduled_message_is_retried_within_its_time(reminder, provider):
    # Its age counts from the time that it was scheduled for.
    message = enqueue(reminder)
    let_time_pass()
    provider.script.append(ErrorClass.TRANSIENT)
    run(message)
    row = Message.objects.get()
    assert (row.status, row.attempts) == (Status.QUEUED, 1)


def test_user_who_waits_for_a_scheduled_message_sees_no_delay(reminder):
    message = enqueue(reminder)
    Message.objects.update(created_at=Now() - timedelta(days=20))
    assert message.progress() == "waiting"
