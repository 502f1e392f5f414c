from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import NOT_PROVIDED
from django.db.models.functions import Now

from notifications import kinds
from notifications.bounce_brake import brake
from notifications.events import suppress
from notifications.kinds import UnknownKindError
from notifications.models import Message, Suppression
from notifications.outbox import Draft, enqueue, enqueue_many, insert, publish
from notifications.rules.addresses import BadAddressError
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import ActiveSuppression, Candidate, Reason, blocking_reason
from notifications.runtime.redis_client import client
from tests.factories import MessageFactory, UserFactory

pytestmark = pytest.mark.usefixtures("valkey")


def draft(**changes):
    user = changes.pop("user", None) or UserFactory()
    return Draft(**{"kind": "welcome", "to": user.email, "user": user} | changes)


@pytest.mark.django_db
def test_row_contains_everything_for_the_delivery():
    message = enqueue(draft(key="welcome:1"))
    message.refresh_from_db()
    assert (message.status, message.stream, message.attempts) == (Status.QUEUED, Stream.DEFAULT, 0)
    assert message.expires_at - message.created_at == timedelta(days=2)
    assert timedelta(seconds=9) < message.relay_after - message.created_at <= timedelta(seconds=10)


@pytest.mark.django_db
def test_relay_may_publish_immediately_during_the_cooldown():
    publish.cooldown.start()
    message = enqueue(draft())
    message.refresh_from_db()
    assert message.relay_after <= message.created_at


@pytest.mark.django_db
def test_same_key_is_one_message(django_capture_on_commit_callbacks):
    first = draft(key="welcome:1")
    with django_capture_on_commit_callbacks(execute=True):
        new, held = enqueue(first), enqueue(first)
    assert (new.is_new, held.is_new, held.id) == (True, False, new.id)
    assert Message.objects.count() == 1
    # If the broker is slower than a request waits, the relay publishes it.
    assert client().llen("default") <= 1


def died(message):
    Message.objects.filter(id=message.id).update(status=Status.DEAD, died_at=Now(), error_fingerprint="rendering/X")


@pytest.mark.django_db
def test_key_of_a_dead_letter_is_logged(caplog):
    fact = draft(key="welcome:1")
    message = enqueue(fact)
    died(message)
    held = enqueue(fact)
    assert (held.is_new, held.id, held.status) == (False, message.id, Status.DEAD)
    assert str(message.id) in caplog.text
    assert message.to_address not in caplog.text


@pytest.mark.django_db
def test_key_of_a_dead_letter_is_replayed_on_request():
    fact = draft(key="welcome:1")
    message = enqueue(fact)
    died(message)
    replayed = enqueue(replace(fact, context={"number": 2}), replay_dead=True)
    assert (replayed.is_new, replayed.id, replayed.status) == (False, message.id, Status.QUEUED)
    assert (replayed.replays, replayed.context, replayed.error_fingerprint) == (1, {"number": 2}, "")


@pytest.mark.django_db
@pytest.mark.parametrize("status", [Status.QUEUED, Status.EXPIRED, Status.CANCELLED])
def test_only_a_dead_letter_is_replayed(status):
    fact = draft(key="welcome:1")
    Message.objects.filter(id=enqueue(fact).id).update(status=status)
    held = enqueue(fact, replay_dead=True)
    assert (held.status, held.replays) == (status, 0)


@pytest.mark.django_db
def test_existing_id_returns_its_message():
    first = enqueue(draft(key="welcome:1", id=uuid4()))
    held = enqueue(draft(key="welcome:2", id=first.id))
    assert (held.is_new, held.id) == (False, first.id)


@pytest.mark.django_db
def test_existing_ids_and_keys_of_a_batch_are_not_new():
    old = enqueue(draft(key="welcome:1", id=uuid4()))
    again, fresh = draft(key="welcome:2"), draft(key="welcome:3", id=uuid4())
    drafts = [draft(key="welcome:1"), draft(id=old.id), again, again, fresh, replace(fresh, key="welcome:4")]
    written = enqueue_many(drafts)
    assert [message.idempotency_key for message in written] == ["welcome:2", "welcome:3"]
    assert all(message.is_new for message in written)
    assert Message.objects.count() == 3


@pytest.mark.django_db
def test_returned_message_equals_its_row():
    suppress.suppress("gone@example.com", Reason.HARD_BOUNCE, "")
    written = enqueue_many([draft(context={"number": 1}), draft(kind="product-news", to="gone@example.com")])
    rows = Message.objects.in_bulk([message.id for message in written])
    columns = [field.attname for field in Message._meta.concrete_fields if field.db_default is NOT_PROVIDED]
    for message in written:
        for column in [*columns, "created_at", "due_at", "relay_after"]:
            assert getattr(message, column) == getattr(rows[message.id], column), column


@pytest.mark.django_db
def test_columns_that_enqueue_leaves_out_have_the_model_s_defaults():
    row = Message.objects.get(id=enqueue(draft()).id)
    plain = MessageFactory()
    plain.refresh_from_db()
    left_out = [field.attname for field in Message._meta.concrete_fields if f" {field.column}," not in insert._INSERT]
    assert {name: getattr(row, name) for name in left_out if not name.endswith("_at")} == {
        name: getattr(plain, name) for name in left_out if not name.endswith("_at")
    }


@pytest.mark.django_db
@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("cooled_off", [False, True])
@pytest.mark.parametrize("kind", ["welcome", "password-reset", "product-news"])
def test_insert_decides_about_a_suppression_as_the_rules_do(reason, cooled_off, kind):
    suppress.suppress("gone@example.com", reason, "")
    Suppression.objects.update(created_at=Now() - timedelta(hours=30 if cooled_off else 3))
    found = [ActiveSuppression(reason=reason, cooled_off=cooled_off)]
    declared = kinds.get(kind)
    blocked_for = blocking_reason(found, Candidate(stream=declared.stream, may_recheck=declared.may_recheck))
    message = enqueue(draft(kind=kind, to="Gone@example.com"))
    expected = (Status.SUPPRESSED, f"{insert.SUPPRESSED}{reason}") if blocked_for else (Status.QUEUED, "")
    assert (message.status, message.status_reason) == expected
    message.refresh_from_db()
    assert (message.status, message.status_reason) == expected


@pytest.mark.django_db
@pytest.mark.parametrize("reason", Reason)
def test_insert_decides_about_a_recheck_as_the_rules_do(reason):
    mine = uuid4()
    suppress.suppress("gone@example.com", reason, "")
    Suppression.objects.update(recheck_id=mine)
    found = [ActiveSuppression(reason=reason, cooled_off=False, recheck_id=mine)]
    for message_id in (mine, uuid4()):
        candidate = Candidate(stream=Stream.DEFAULT, may_recheck=False, message_id=message_id)
        message = enqueue(draft(kind="welcome", to="gone@example.com", id=message_id))
        assert (message.status == Status.SUPPRESSED) is (blocking_reason(found, candidate) is not None)


@pytest.mark.django_db
def test_reason_is_that_of_the_oldest_suppression_in_force():
    for days, reason in ((9, Reason.UNSUBSCRIBED), (4, Reason.COMPLAINT), (2, Reason.HARD_BOUNCE), (1, Reason.BY_HAND)):
        suppress.suppress("gone@example.com", reason, "")
        Suppression.objects.filter(reason=reason).update(created_at=Now() - timedelta(days=days))
    Suppression.objects.filter(reason=Reason.COMPLAINT).update(lifted_at=Now())
    assert enqueue(draft(to="gone@example.com")).status_reason.endswith(Reason.HARD_BOUNCE)
    assert enqueue(draft(kind="product-news", to="gone@example.com")).status_reason.endswith(Reason.UNSUBSCRIBED)


@pytest.mark.django_db
def test_many_are_published_by_stream(django_capture_on_commit_callbacks):
    drafts = [draft(kind=kind) for kind in ("welcome", "password-reset", "welcome")]
    with django_capture_on_commit_callbacks(execute=True):
        written = enqueue_many(drafts)
    assert [message.kind for message in written] == ["welcome", "password-reset", "welcome"]
    assert publish.queue_depths() == {Stream.CRITICAL: 1, Stream.DEFAULT: 2, Stream.BULK: 0}


@pytest.mark.django_db
def test_one_message_takes_one_statement(django_assert_num_queries):
    user = UserFactory()
    brake.is_on()
    with django_assert_num_queries(1):
        enqueue(draft(user=user))


@pytest.mark.django_db
def test_many_messages_take_one_insert_for_a_thousand(django_assert_num_queries):
    user = UserFactory()
    drafts = [draft(kind="product-news", user=user) for _ in range(2500)]
    with django_assert_num_queries(3):
        assert len(enqueue_many(drafts)) == 2500


@pytest.mark.django_db(transaction=True)
def test_batch_that_fails_midway_writes_nothing(monkeypatch):
    inserts = []

    def fail_second(execute, sql, *rest):
        if "INSERT INTO notifications_message (" in sql:
            inserts.append(sql)
        if len(inserts) > 1:
            raise DataError
        return execute(sql, *rest)

    monkeypatch.setattr(insert, "BATCH", 1)
    drafts = [draft(), draft()]
    with connection.execute_wrapper(fail_second), pytest.raises(DataError):
        enqueue_many(drafts)
    assert len(inserts) == 2
    assert not Message.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"kind": "no-such-kind"}, UnknownKindError),
        ({"to": "a@example.com, b@example.com"}, BadAddressError),
        ({"to": "a@example.com\nBcc: b@example.com"}, BadAddressError),
    ],
)
def test_bad_input_writes_nothing(changes, error):
    with pytest.raises(error):
        enqueue_many([draft(), draft(**changes)])
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_published_when_the_transaction_is_rolled_back():
    with transaction.atomic():
        enqueue(draft())
        transaction.set_rollback(True)
    assert not Message.objects.exists()
    assert client().llen("default") == 0


@pytest.mark.django_db(transaction=True)
def test_task_contains_only_the_id():
    message = enqueue(draft())
    (raw,) = client().lrange("default", 0, -1)
    assert str(message.id).encode() in raw
    assert message.to_address.encode() not in raw


@pytest.mark.django_db
def test_unknown_status_is_refused_by_the_database():
    message = enqueue(draft())
    with pytest.raises(IntegrityError, match="notifications_message_status_known"), transaction.atomic():
        Message.objects.filter(id=message.id).update(status="lost")


@pytest.mark.django_db
def test_sending_without_a_lease_is_refused_by_the_database():
    message = enqueue(draft())
    with pytest.raises(IntegrityError, match="notifications_message_lease_iff_sending"), transaction.atomic():
        Message.objects.filter(id=message.id).update(status=Status.SENDING)
