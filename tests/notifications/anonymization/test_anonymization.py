"""What remains of email after its account is deleted, and of email that never had one."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts.emails import PASSWORD_RESET, enqueue_email, welcome_draft
from accounts.flows.deleting import delete
from accounts.models import User
from notifications import anonymization
from notifications.delivery.attempt import Carrier, attempt_of
from notifications.delivery.claim import claim, hand_over
from notifications.delivery.deliver import deliver
from notifications.delivery.record import RefusedAttempt, record_acceptances, record_refusals
from notifications.delivery.relevance import ERASED, NO_ACCOUNT
from notifications.events import ingest, suppress
from notifications.events.apply import read_due
from notifications.models import DeliveryAttempt, Message, ProviderEvent, Suppression
from notifications.models.message import ACCOUNT_DELETED
from notifications.outbox import NotResentError, enqueue, recover, relay, resend, settle
from notifications.outbox.resend import Obstacle
from notifications.providers.base.sending import Accepted, ProviderError
from notifications.providers.base.webhook import RawEvent
from notifications.rules.retry import ErrorClass, Retry, Uncertain
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import Reason
from tests.factories import MessageFactory, UserFactory
from tests.scripted_webhook import ScriptedWebhook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
CARRIER = Carrier(task_id="task-1", worker="test@here")
ADDRESS = "ada.lovelace@example.com"


@pytest.fixture
def ada():
    user = UserFactory(email=ADDRESS, name="Ada Lovelace", confirmed_at=timezone.now())
    user.refresh_from_db()
    return user


@pytest.fixture(autouse=True)
def scripted_webhook(registered):
    registered("scripted", webhook=ScriptedWebhook)


def fresh(message):
    return Message.objects.get(id=message.id)


def store(message, kind="delivered", **more):
    payload = {"id": str(uuid4()), "kind": kind, "message": str(message.id), "recipient": ADDRESS, "detail": ADDRESS}
    ingest.store("scripted", [RawEvent(payload["id"], payload | more)])


def traces(*words):
    """Return which of `words` are still in the database, except in the list of suppressions."""
    found = set()
    tables = set(connection.introspection.table_names()) - {"notifications_suppression"}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT row_to_json(row)::text FROM {table} AS row")  # noqa: S608
            text = str(cursor.fetchall()).lower()
            found |= {word for word in words if word.lower() in text}
    return found


def by_its_owner(user, admin_client):
    delete(user)


def in_the_admin(user, admin_client):
    url = reverse("admin:accounts_user_delete", args=[user.pk])
    admin_client.post(reverse("admin:accounts_user_change", args=[user.pk]), {"email": user.email})
    assert admin_client.post(url, {"post": "yes"}).status_code == 302


def by_an_action(user, admin_client):
    fields = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
    assert admin_client.post(reverse("admin:accounts_user_changelist"), fields).status_code == 302


def in_a_shell(user, admin_client):
    User.objects.filter(pk=user.pk).delete()


@pytest.mark.parametrize("way", [by_its_owner, in_the_admin, by_an_action, in_a_shell])
def test_no_personal_data_is_left_however_the_account_is_deleted(ada, admin_client, admin_user, way):
    enqueue(welcome_draft(ada))
    LogEntry.objects.log_actions(str(admin_user.pk), [ada], 2, "Changed.")
    sent = MessageFactory(user=ada, status=Status.SENT, sent_at=Now(), context={"name": "Ada Lovelace"})
    before = MessageFactory(user=None, to_address=ADDRESS, kind="password-reset", status=Status.CANCELLED)
    DeliveryAttempt.objects.create(message=sent, number=1, provider="ses", result="transient", error=ADDRESS)
    store(sent, "bounced", bounce="soft")
    read_due()
    other = MessageFactory(status=Status.SENT, sent_at=Now())
    way(ada, admin_client)
    Message.objects.filter(kind="account-deleted").delete()
    assert traces(ADDRESS, "Lovelace") == set()
    anonymized = Message.objects.filter(anonymized_at__isnull=False)
    assert {message.id for message in anonymized} >= {sent.id, before.id}
    event = ProviderEvent.objects.get()
    assert (event.message_id, event.kind, event.bounce, event.payload) == (sent.id, "bounced", "soft", {})
    assert fresh(sent).outcome == "bounced"
    assert fresh(other).anonymized_at is None


def test_farewell_is_sent(ada, provider):
    waiting = MessageFactory(user=ada)
    delete(ada)
    farewell = Message.objects.get(kind="account-deleted")
    assert str(deliver([waiting.id, farewell.id], Stream.DEFAULT, CARRIER)) == "1 sent"
    (email,) = provider.taken
    assert email.to_address == ADDRESS
    assert "Ada Lovelace" in email.text


def test_earlier_farewell_to_the_same_address_is_still_sent(ada):
    earlier = MessageFactory(user=None, to_address=ADDRESS, kind="account-deleted")
    asked = MessageFactory(user=None, to_address=ADDRESS, kind="password-reset")
    ada.delete()
    assert (fresh(earlier).status, fresh(earlier).to_address) == (Status.QUEUED, ADDRESS)
    assert (fresh(asked).status, fresh(asked).to_address) == (Status.CANCELLED, "")


@pytest.mark.parametrize(
    ("waiting", "status"),
    [
        ({}, Status.CANCELLED),
        ({"sending": True}, Status.CANCELLED),
        ({"uncertain": True}, Status.CANCELLED),
        ({"sending": True, "handed_over": True}, Status.SENDING),
        ({"status": Status.DEAD}, Status.DEAD),
        ({"status": Status.SUPPRESSED, "status_reason": "hard bounce"}, Status.SUPPRESSED),
        ({"status": Status.SENT, "sent_at": Now()}, Status.SENT),
    ],
)
def test_waiting_message_is_cancelled(ada, waiting, status):
    message = MessageFactory(user=ada, **waiting)
    ada.delete()
    after = fresh(message)
    assert (after.status, after.user, after.to_address, after.context) == (status, None, "", {})
    assert after.status_reason == (ACCOUNT_DELETED if status is Status.CANCELLED else "")
    assert after.settle_at is None
    assert (after.lease_token is None) == (status is not Status.SENDING)


def test_worker_that_found_it_relevant_cannot_hand_it_over(ada):
    (claimed,) = claim([MessageFactory(user=ada).id])
    ada.delete()
    assert not hand_over([claimed], "scripted")
    assert fresh(claimed).status == Status.CANCELLED


def test_acceptance_after_the_deletion_is_recorded_without_the_address(ada):
    message = MessageFactory(user=ada)
    (claimed,) = claim([message.id])
    assert hand_over([claimed], "scripted")
    ada.delete()
    record_acceptances([attempt_of(claimed, CARRIER, "scripted", Accepted("scripted-1"), 0.1)])
    after = fresh(message)
    assert (after.status, after.to_address, after.delivery_attempts.get().result) == (Status.SENT, "", "accepted")
    assert traces(ADDRESS) == set()


def test_refusal_after_the_deletion_ends_the_message(ada, provider):
    message = MessageFactory(user=ada)
    (claimed,) = claim([message.id])
    hand_over([claimed], "scripted")
    ada.delete()
    attempt = attempt_of(claimed, CARRIER, "scripted", ProviderError(ErrorClass.TRANSIENT, "x"), 0.1)
    record_refusals([RefusedAttempt(attempt=attempt, decision=Retry(0.0))])
    assert fresh(message).status == Status.QUEUED
    assert str(deliver([message.id], Stream.DEFAULT, CARRIER)) == "1 cancelled"
    assert fresh(message).status_reason == ERASED
    assert provider.taken == []


@pytest.mark.parametrize("kind", ["welcome", "product-news", "address-changed"])
def test_lost_answer_after_the_deletion_is_dropped_in_the_end(ada, kind):
    message = MessageFactory(user=ada, kind=kind)
    (claimed,) = claim([message.id])
    hand_over([claimed], "scripted")
    ada.delete()
    attempt = attempt_of(claimed, CARRIER, "scripted", ProviderError(ErrorClass.AMBIGUOUS, "x"), 0.1)
    record_refusals([RefusedAttempt(attempt=attempt, decision=Uncertain())])
    Message.objects.update(settle_at=Now() - timedelta(seconds=1))
    assert recover.settle_uncertain() == 0
    assert (fresh(message).status, fresh(message).status_reason) == (Status.CANCELLED, ACCOUNT_DELETED)
    relay.run_once()
    assert fresh(message).status == Status.CANCELLED


@pytest.mark.parametrize("read_before", [True, False])
@pytest.mark.parametrize("kind", [{"kind": "bounced", "bounce": "hard"}, {"kind": "complained"}, {"kind": "delivered"}])
def test_late_report_does_not_bring_the_address_back(ada, kind, read_before):
    message = MessageFactory(user=ada, status=Status.SENT, sent_at=Now(), attempts=1)
    store(message, **kind)
    if read_before:
        ada.delete()
        read_due()
    else:
        with transaction.atomic():
            ada.delete()
        read_due()
        store(message, **kind)
        read_due()
    assert traces(ADDRESS) == set()
    for event in ProviderEvent.objects.all():
        assert (event.state, event.message_id, event.kind) == ("applied", message.id, kind["kind"])
        assert (event.recipient, event.detail, event.payload) == ("", "", {})
    assert fresh(message).outcome == kind["kind"]
    assert not Suppression.objects.exists()


def test_deleting_a_user_without_an_address_changes_no_other_email(ada, admin_user):
    erased = Suppression.objects.create(address="", reason=Reason.BY_HAND, lifted_at=Now())
    LogEntry.objects.log_actions(admin_user.pk, [erased], 2, "lifted", single_object=True)
    anonymization.anonymize_user(UserFactory(email=""))
    assert LogEntry.objects.get().change_message == "lifted"


def test_suppression_stays(ada):
    suppress.suppress(ADDRESS, Reason.HARD_BOUNCE, "no such mailbox")
    ada.delete()
    again = User.objects.create_user(ADDRESS)
    assert again.messages.get().status == Status.SUPPRESSED


@pytest.mark.parametrize("kind", ["welcome", "account-deleted"])
def test_anonymized_message_is_never_sent_again(ada, provider, kind):
    message = MessageFactory(user=ada, kind=kind, status=Status.DEAD)
    ada.delete()
    message.refresh_from_db()
    with pytest.raises(NotResentError) as refused:
        resend(message, uuid4())
    assert refused.value.obstacle is Obstacle.ANONYMIZED
    Message.objects.filter(id=message.id).update(status=Status.QUEUED, died_at=None)
    assert str(deliver([message.id], Stream.DEFAULT, CARRIER)) == "1 cancelled"
    Message.objects.filter(id=message.id).update(status=Status.UNCERTAIN)
    message.refresh_from_db()
    assert not settle.send_again(message, "ops")
    assert settle.drop(message, "ops")
    assert provider.taken == []


def test_reset_without_an_account_is_recorded_and_not_sent(provider):
    enqueue_email(PASSWORD_RESET, None, "unknown@example.com")
    message = Message.objects.get()
    assert str(deliver([message.id], Stream.CRITICAL, CARRIER)) == "1 cancelled"
    assert (fresh(message).status, fresh(message).status_reason) == (
        Status.CANCELLED,
        NO_ACCOUNT,
    )
    assert provider.taken == []


@pytest.mark.parametrize(
    ("changes", "anonymized"),
    [
        ({"kind": "account-deleted", "status": Status.SENT, "sent_at": Now()}, 1),
        ({"status": Status.CANCELLED}, 1),
        ({"status": Status.DEAD}, 1),
        ({"status": Status.SENT, "sent_at": Now(), "created_at": Now() - timedelta(days=6)}, 0),
        # Not settled yet.
        ({"kind": "provider-test", "uncertain": True}, 0),
        ({"kind": "account-deleted"}, 0),
    ],
)
def test_email_without_an_account_is_anonymized_some_days_after_it_has_ended(changes, anonymized):
    fields = {"user": None, "to_address": ADDRESS, "created_at": Now() - timedelta(days=8)} | changes
    message = MessageFactory(**fields)
    store(message)
    mine = MessageFactory(status=Status.SENT, sent_at=Now(), created_at=Now() - timedelta(days=900))
    assert anonymization.anonymize_ended() == anonymized
    assert (fresh(message).to_address == "") == bool(anonymized)
    assert fresh(mine).anonymized_at is None
    assert anonymization.anonymize_ended() == 0


def test_email_is_anonymized_in_batches(monkeypatch):
    monkeypatch.setattr(anonymization, "BATCH", 2)
    for number in range(5):
        MessageFactory(user=None, to_address=f"{number}@example.com", status=Status.CANCELLED)
    Message.objects.update(created_at=F("created_at") - timedelta(days=8))
    assert anonymization.anonymize_ended(most=3) == 4
    assert anonymization.anonymize_ended() == 1


def test_message_without_an_address_that_is_not_anonymized_is_refused_by_the_database():
    message = MessageFactory()
    with pytest.raises(IntegrityError, match="address_until_anonymized"), transaction.atomic():
        Message.objects.filter(id=message.id).update(to_address="")
