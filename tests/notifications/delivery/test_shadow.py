"""Copies of emails that another backend sends are composed and compared, and never reach a provider."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.db.models.functions import Now

from notifications.changes.dispatch import dispatch
from notifications.delivery.claim import claim, hand_over
from notifications.delivery.deliver import deliver
from notifications.delivery.forecast import forecasts
from notifications.delivery.replay import dead_letters, replay
from notifications.models import DeliveryAttempt, Message, PendingChange, ShadowCopy, Suppression
from notifications.outbox import recover, retry_now, settle
from notifications.outbox.resend import resend
from notifications.rules.retry import ErrorClass
from notifications.rules.shadow import COMPARED, KIND, differing_parts
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import Reason
from notifications.signals import message_changed
from tests.factories import MessageFactory, UserFactory
from tests.notifications.backend.old import OldBackend
from tests.notifications.delivery.delivering import CARRIER, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def shadowed(settings, monkeypatch, django_capture_on_commit_callbacks):
    """Return a function that sends an email through the present backend, and returns the message of its copy."""
    settings.EMAIL_BACKEND = "notifications.backend.ShadowBackend"
    settings.SHADOWED_BACKEND = f"{OldBackend.__module__}.{OldBackend.__qualname__}"
    monkeypatch.setattr(OldBackend, "taken", [])

    def send(email=None, **changes):
        own = {"subject": "Hi", "body": "Text", "from_email": "shop@example.com", "to": ["ada@example.com"]}
        known = set(ShadowCopy.objects.values_list("id", flat=True))
        with django_capture_on_commit_callbacks(execute=True):
            get_connection().send_messages([email or EmailMessage(**own | changes)])
        (copy,) = ShadowCopy.objects.exclude(id__in=known)
        return Message.objects.get(id=copy.id)

    return send


def after(message):
    message.refresh_from_db()
    return message


def result_of(message):
    copy = ShadowCopy.objects.get(id=message.id)
    assert copy.digests == {}
    assert copy.composed_at
    return copy.new_error, copy.differences


def rich():
    email = EmailMultiAlternatives(
        "Grüße",
        "Text",
        "Shop <shop@example.com>",
        ["Ada <ada@example.com>", "bob@example.com"],
        bcc=["c@example.com"],
        cc=["Dö <d@example.com>"],
        reply_to=["answers@example.com"],
        headers={"X-Order": "1", "Message-ID": "<own@example.com>"},
    )
    email.attach_alternative("<p>Text</p>", "text/html")
    email.attach("order.bin", bytes(range(256)), "application/octet-stream")
    return email


def test_copy_is_composed_and_equal(provider, shadowed):
    plain, full = shadowed(), shadowed(rich())
    run(plain, full)
    assert provider.taken == []
    for message in (plain, full):
        assert result_of(message) == ("", [])
        assert (after(message).status, message.status_reason, message.attempts) == (Status.CANCELLED, COMPARED, 0)
    assert not DeliveryAttempt.objects.exists()


def test_differences_are_named_without_content(provider, shadowed):
    message = shadowed(rich())
    Suppression.objects.create(address="bob@example.com", reason=Reason.HARD_BOUNCE)
    copy = ShadowCopy.objects.get(id=message.id)
    changed = {"header X-Order": "0", "header X-Gone": "0", "part 3 (application/octet-stream)": "0"}
    ShadowCopy.objects.filter(id=copy.id).update(digests={**copy.digests, **changed})
    run(message)
    error, found = result_of(message)
    assert not error
    others = ("recipients", "header To", "header X-Order", "part 3 (application/octet-stream)")
    gone = differing_parts({"header X-Gone": "0"}, {})
    assert sorted(found) == sorted([*(f"{name} differs" for name in others), *gone])
    assert "example.com" not in str(found)


def test_copy_that_cannot_be_composed_is_a_failure_of_mailroom(provider, shadowed):
    message = shadowed()
    message.stored_content.packed = b"not readable"
    message.stored_content.save()
    run(message)
    assert result_of(message) == ("NoContentError", [])
    assert after(message).status == Status.CANCELLED


def test_copy_to_a_suppressed_address_ends_as_the_email_would(provider, shadowed):
    Suppression.objects.create(address="ada@example.com", reason=Reason.HARD_BOUNCE)
    assert shadowed().status == Status.SUPPRESSED
    queued = shadowed(to=["bob@example.com"])
    Suppression.objects.create(address="bob@example.com", reason=Reason.HARD_BOUNCE)
    run(queued)
    assert after(queued).status == Status.SUPPRESSED
    assert OldBackend.taken[1].to == ["bob@example.com"]


# Each way by which a message of a copy may be sent again. Returns the message that is due then.
def by_another_task(message):
    return message


def by_resend(message):
    run(message)
    return resend(after(message), uuid4(), to="eve@example.com")


def by_replay(message):
    Message.objects.filter(id=message.id).update(status=Status.DEAD, died_at=Now())
    replay(dead_letters(), dry_run=False)
    # Whatever the verdict is.
    Message.objects.filter(id=message.id).update(status=Status.QUEUED, died_at=None)
    return message


def by_retry_now(message):
    Message.objects.filter(id=message.id).update(due_at=Now() + timedelta(hours=1))
    assert retry_now.retry_now(after(message))
    return message


def by_settling(message):
    Message.objects.filter(id=message.id).update(status=Status.UNCERTAIN)
    assert settle.send_again(after(message), "operator")
    return message


def by_the_settling_time(message):
    Message.objects.filter(id=message.id).update(status=Status.UNCERTAIN, settle_at=Now() - timedelta(seconds=1))
    assert recover.settle_uncertain() == 1
    return message


def by_a_lost_worker(message):
    claim([message.id])
    Message.objects.filter(id=message.id).update(lease_until=Now() - timedelta(seconds=1))
    recover.recover_ended_leases()
    return message


WAYS = [by_another_task, by_resend, by_replay, by_retry_now, by_settling, by_the_settling_time, by_a_lost_worker]


@pytest.mark.parametrize("way", WAYS)
def test_no_way_leads_to_a_provider(provider, shadowed, settings, way):
    message = way(shadowed())
    settings.EMAIL_BACKEND, settings.SHADOW_PERCENT = "notifications.backend.OutboxBackend", 100
    assert after(message).status == Status.QUEUED
    run(message)
    assert provider.taken == []
    assert (after(message).status, message.kind, message.status_reason) == (Status.CANCELLED, KIND, COMPARED)


def test_no_copy_goes_with_bulk_or_to_another_provider(provider, second, shadowed):
    provider.script.append(ErrorClass.MISCONFIGURED)
    copies = [shadowed(headers={"X-Mailroom-Stream": "bulk"}) for _ in range(3)]
    real = MessageFactory(user=UserFactory(), kind="product-news", stream=Stream.BULK)
    deliver([message.id for message in [real, *copies]], Stream.BULK, CARRIER)
    deliver([message.id for message in [real, *copies]], Stream.BULK, CARRIER)
    assert provider.taken == []
    assert [mail.to_address for mail in second.taken] == [real.to_address]
    assert {after(message).status for message in copies} == {Status.CANCELLED}


def test_statement_that_hands_over_leaves_copies_out(shadowed):
    copy, real = shadowed(), MessageFactory()
    claimed = claim([copy.id, real.id])
    assert hand_over(claimed, "ses") == {real.id}


def test_operators_see_why_it_would_not_be_sent(shadowed):
    message = shadowed()
    found = forecasts([message])[message.id]
    assert {found.resend.reason, found.replay.reason} == {COMPARED}


def test_application_is_not_notified_of_copies(provider, shadowed):
    notified = []

    def receiver(**change):
        notified.append(change["message_id"])

    message_changed.connect(receiver, sender=Message)
    try:
        Suppression.objects.create(address="bob@example.com", reason=Reason.HARD_BOUNCE)
        run(shadowed(), shadowed(to=["bob@example.com"]))
        assert PendingChange.objects.exists()
        dispatch()
    finally:
        message_changed.disconnect(receiver, sender=Message)
    assert notified == []
    assert not PendingChange.objects.exists()


def test_with_the_null_provider_copies_end_and_all_other_email_waits(settings, shadowed):
    settings.EMAIL_PROVIDERS = ["null"]
    copy = shadowed()
    run(copy)
    assert (after(copy).status, result_of(copy)) == (Status.CANCELLED, ("", []))
    real = MessageFactory()
    run(real)
    assert (after(real).status, real.attempts, real.counted_attempts) == (Status.QUEUED, 1, 0)
    later = shadowed()
    run(later)
    assert after(later).status == Status.CANCELLED
