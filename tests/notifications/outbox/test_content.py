"""Contents are written with their messages, and a key has one content."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from notifications import Attachment, Draft, KeyConflictError, enqueue, enqueue_many
from notifications.models import Message, MessageContent
from notifications.outbox import NotResentError, resend
from notifications.outbox.resend import Obstacle, resend_states
from notifications.rules.content import unpacked
from notifications.rules.ids import time_ordered_id
from notifications.rules.states import Status
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

FILE = Attachment("a.txt", b"a")


@pytest.fixture
def draft():
    user = UserFactory()
    return Draft(
        kind="product-news",
        to=user.email,
        user=user,
        key="news:1",
        context={"headline": "News", "price": Decimal("1.50"), "numbers": [1e23, 0.1]},
        cc=["bob@example.com"],
        attachments=[FILE],
    )


def stored():
    return unpacked(bytes(MessageContent.objects.get().packed))


@pytest.mark.django_db(transaction=True)
def test_message_is_not_written_without_its_content(draft, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(MessageContent.objects, "bulk_create", fail)
        with pytest.raises(RuntimeError):
            enqueue(draft)
    assert not Message.objects.exists()


@pytest.mark.parametrize(("changes", "more"), [({}, 0), ({"cc": ["bob@example.com"]}, 1)])
def test_only_a_message_with_content_costs_another_statement(draft, changes, more):
    plain = replace(draft, cc=(), attachments=())
    # The first reads what later ones remember.
    enqueue(replace(plain, key="news:0"))
    with CaptureQueriesContext(connection) as usual:
        enqueue(plain)
    with CaptureQueriesContext(connection) as statements:
        enqueue(replace(plain, key="news:2", **changes))
    assert len(statements) - len(usual) == more


def test_same_key_with_the_same_content_is_one_message(draft):
    first = enqueue(draft)
    again = enqueue(draft)
    assert (again.is_new, again.id) == (False, first.id)
    assert MessageContent.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"attachments": [Attachment("a.txt", b"b")]},
        {"attachments": []},
        {"cc": ["carla@example.com"]},
        {"cc": (), "attachments": ()},
        {"headers": {"X-Order": "1"}},
        {"context": {"headline": "Other news"}},
        {"to": "other@example.com"},
        {"user": None},
        {"kind": "provider-test"},
    ],
)
def test_same_key_with_another_content_is_an_error(draft, changes):
    enqueue(draft)
    with pytest.raises(KeyConflictError) as caught:
        enqueue(replace(draft, **changes))
    assert "example.com" not in str(caught.value)
    assert Message.objects.count() == MessageContent.objects.count() == 1


def test_another_time_is_no_other_content(draft):
    first = enqueue(draft)
    assert enqueue(replace(draft, send_at=datetime.now(UTC) + timedelta(days=1))).id == first.id


def test_many_leave_out_existing_keys_whatever_their_content(draft):
    enqueue(draft)
    new = replace(draft, key="news:2")
    written = enqueue_many([replace(draft, cc=["carla@example.com"]), new, replace(new, attachments=[])])
    assert [message.idempotency_key for message in written] == ["news:2"]
    assert MessageContent.objects.count() == 2


@pytest.mark.parametrize("changes", [{"attachments": [Attachment("b.txt", b"b")]}, {"attachments": [], "cc": ()}])
def test_replay_takes_the_content_of_the_draft(draft, changes):
    message = enqueue(draft)
    Message.objects.update(status=Status.DEAD, died_at=Now())
    fixed = replace(draft, **changes)
    replayed = enqueue(fixed, replay_dead=True)
    assert (replayed.id, replayed.status, replayed.has_content) == (message.id, Status.QUEUED, bool(fixed.attachments))
    if fixed.attachments:
        assert stored().attachments == tuple(fixed.attachments)
    else:
        assert not MessageContent.objects.exists()


def sent(draft):
    message = enqueue(draft)
    Message.objects.filter(id=message.id).update(status=Status.SENT, sent_at=Now())
    return Message.objects.get(id=message.id)


def test_resend_copies_the_content(draft):
    message = sent(draft)
    again = resend(message, time_ordered_id())
    first, second = (unpacked(bytes(row.packed)) for row in MessageContent.objects.order_by("created_at"))
    assert (again.has_content, first) == (True, second)
    assert again.id != message.id


def test_resend_of_deleted_content_is_refused(draft):
    message = sent(draft)
    MessageContent.objects.update(packed=None)
    assert resend_states([message])[message.id].obstacle is Obstacle.PURGED
    with pytest.raises(NotResentError) as caught:
        resend(message, time_ordered_id())
    assert caught.value.obstacle is Obstacle.PURGED
    assert Message.objects.count() == 1


def test_handle_knows_id_status_and_progress(draft):
    message = enqueue(draft)
    assert (message.id, message.status, message.progress()) == (message.pk, "queued", "waiting")
    Message.objects.update(status=Status.SENT, sent_at=Now(), provider="scripted")
    assert message.progress() in {"sent", "unreported"}
