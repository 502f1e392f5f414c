"""How addresses are suppressed, what suppression stops, and how it is lifted."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.delivery.recheck import take_recheck
from notifications.delivery.relevance import SUPPRESSED
from notifications.events import suppress
from notifications.models import Message, ProviderEvent, Suppression
from notifications.outbox import Draft, enqueue
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import Reason
from tests.factories import MessageFactory, UserFactory
from tests.notifications.events.test_apply import reported

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

ADDRESS = "ada@example.com"
WHY = "they called: the mailbox exists"


def sent(**more):
    return MessageFactory(status=Status.SENT, sent_at=Now(), to_address=ADDRESS, **more)


def bounce(kind="bounced", **more):
    return reported(sent(), kind, recipient=ADDRESS, **more)


def in_force():
    return {row.reason for row in Suppression.objects.in_force([ADDRESS])}


def reset():
    """Enqueue and deliver a password reset; return its status."""
    user = UserFactory._meta.model.objects.filter(email=ADDRESS).first() or UserFactory(email=ADDRESS)
    message = enqueue(Draft(kind="password-reset", to=ADDRESS, user=user))
    deliver([message.id], Stream.CRITICAL, Carrier(task_id="", worker=""))
    return Message.objects.get(id=message.id)


def rest():
    """Move the end of the cool-off into the past."""
    Suppression.objects.update(
        created_at=F("created_at") - timedelta(hours=25), rechecked_at=F("rechecked_at") - timedelta(hours=25)
    )


@pytest.mark.parametrize(
    ("kind", "more", "reasons"),
    [
        ("bounced", {"bounce": "hard", "detail": "no such mailbox"}, {Reason.HARD_BOUNCE}),
        ("complained", {}, {Reason.COMPLAINT}),
        ("unsubscribed", {}, {Reason.UNSUBSCRIBED}),
        ("bounced", {"bounce": "soft"}, set()),
        ("bounced", {"bounce": "auto-reply"}, set()),
        ("bounced", {}, set()),
        ("rejected", {}, set()),
        ("rejected", {"bounce": "hard"}, {Reason.HARD_BOUNCE}),
        ("rejected", {"also": "complained"}, {Reason.COMPLAINT}),
        ("rejected", {"also": "unsubscribed"}, {Reason.UNSUBSCRIBED}),
        ("delivered", {}, set()),
    ],
)
def test_address_is_suppressed_for_each_reason(kind, more, reasons):
    bounce(kind, **more)
    assert in_force() == reasons


def test_row_names_its_event_and_provider():
    bounce(bounce="hard", detail="550 5.1.1 no such user")
    row = Suppression.objects.get()
    assert (row.address, row.provider, row.detail) == (ADDRESS, "scripted", "550 5.1.1 no such user")
    assert row.event.kind == "bounced"


def test_second_event_for_the_same_reason_changes_nothing():
    bounce(bounce="hard")
    bounce(bounce="hard")
    assert Suppression.objects.count() == 1


def test_only_repeated_soft_bounces_suppress():
    for _ in range(2):
        bounce(bounce="soft")
    assert in_force() == set()
    bounce(bounce="soft")
    assert in_force() == {Reason.SOFT_BOUNCES}


def test_soft_bounces_of_one_message_count_once():
    message = sent()
    for _ in range(5):
        reported(message, "bounced", bounce="soft", recipient=ADDRESS)
    assert in_force() == set()


def test_delivery_resets_the_count_of_soft_bounces():
    for _ in range(2):
        bounce(bounce="soft")
    Message.objects.update(outcome_at=Now() - timedelta(minutes=1))
    reported(sent(), "delivered", recipient=ADDRESS)
    Message.objects.filter(outcome="delivered").update(outcome_at=Now() + timedelta(seconds=1))
    bounce(bounce="soft")
    assert in_force() == set()


def test_suppressed_address_gets_a_row_and_no_email(provider, django_capture_on_commit_callbacks):
    suppress.suppress(ADDRESS, Reason.HARD_BOUNCE, "")
    with django_capture_on_commit_callbacks() as after_commit:
        message = enqueue(Draft(kind="welcome", to="Ada@Example.com", user=UserFactory(email=ADDRESS)))
    assert (message.status, message.status_reason) == (
        Status.SUPPRESSED,
        SUPPRESSED.format(reason=Reason.HARD_BOUNCE),
    )
    assert Message.objects.get().status == Status.SUPPRESSED
    assert not any("publish" in callback.__qualname__ for callback in after_commit)


def test_address_suppressed_while_a_message_waits_gets_no_email(provider):
    message = MessageFactory(to_address=ADDRESS, user=UserFactory(email=ADDRESS))
    suppress.suppress(ADDRESS, Reason.COMPLAINT, "")
    deliver([message.id], Stream.DEFAULT, Carrier(task_id="", worker=""))
    after = Message.objects.get(id=message.id)
    assert (after.status, after.attempts, provider.taken) == (Status.SUPPRESSED, 0, [])
    assert after.status_reason == SUPPRESSED.format(reason=Reason.COMPLAINT)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("welcome", Status.QUEUED), ("password-reset", Status.QUEUED), ("product-news", Status.SUPPRESSED)],
)
def test_unsubscription_stops_only_bulk_email(kind, status):
    suppress.suppress(ADDRESS, Reason.UNSUBSCRIBED, "")
    assert enqueue(Draft(kind=kind, to=ADDRESS, user=UserFactory(email=ADDRESS))).status == status


@pytest.mark.parametrize("reason", [Reason.HARD_BOUNCE, Reason.COMPLAINT, Reason.BY_HAND])
def test_reset_is_sent_only_despite_soft_bounces(provider, reason):
    suppress.suppress(ADDRESS, reason, "")
    rest()
    assert reset().status == Status.SUPPRESSED


def test_reset_is_sent_once_after_the_cool_off(provider):
    suppress.suppress(ADDRESS, Reason.SOFT_BOUNCES, "")
    assert reset().status == Status.SUPPRESSED
    rest()
    assert reset().status == Status.SENT
    assert reset().status == Status.SUPPRESSED
    rest()
    assert reset().status == Status.SENT


def test_only_one_message_may_recheck_an_address():
    suppress.suppress(ADDRESS, Reason.SOFT_BOUNCES, "")
    one, other = MessageFactory(to_address=ADDRESS), MessageFactory(to_address=ADDRESS)
    assert not take_recheck(one)
    rest()
    assert take_recheck(one)
    assert not take_recheck(other)
    assert take_recheck(one)


@pytest.mark.django_db(transaction=True)
def test_one_of_many_simultaneous_messages_rechecks():
    suppress.suppress(ADDRESS, Reason.SOFT_BOUNCES, "")
    rest()
    messages = MessageFactory.create_batch(8, to_address=ADDRESS)

    def take(message):
        try:
            return take_recheck(message)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, messages)) == 1


def test_message_is_suppressed_while_another_rechecks(provider):
    suppress.suppress(ADDRESS, Reason.SOFT_BOUNCES, "")
    rest()
    user = UserFactory(email=ADDRESS)
    # Enqueued at the same time, so that neither supersedes the other.
    asked = [MessageFactory(kind="password-reset", to_address=ADDRESS, user=user) for _ in range(2)]
    Message.objects.update(created_at=Now())
    deliver([message.id for message in asked], Stream.CRITICAL, Carrier(task_id="", worker=""))
    assert sorted(Message.objects.values_list("status", flat=True)) == [Status.SENT, Status.SUPPRESSED]
    assert len(provider.taken) == 1


@pytest.mark.parametrize("trouble", [ErrorClass.TRANSIENT, ErrorClass.RATE_LIMITED])
def test_failed_recheck_is_retried(provider, trouble):
    suppress.suppress(ADDRESS, Reason.SOFT_BOUNCES, "")
    rest()
    provider.script.append(trouble)
    message = reset()
    assert message.status == Status.QUEUED
    assert reset().status == Status.SUPPRESSED
    Message.objects.update(due_at=Now())
    deliver([message.id], Stream.CRITICAL, Carrier(task_id="", worker=""))
    assert Message.objects.get(id=message.id).status == Status.SENT


def test_address_suppressed_while_its_group_is_sent_gets_no_email(provider):
    # The first message is a separate group, because the provider's speed is not known yet; in the second group, each
    # critical message is handed over alone.
    messages = MessageFactory.create_batch(3, stream=Stream.CRITICAL)
    late = messages[2].to_address

    def bounce_meanwhile(mail):
        suppress.suppress(late, Reason.HARD_BOUNCE, "")
        Suppression.objects.update(created_at=Now() + timedelta(seconds=1))

    provider.script.extend([None, bounce_meanwhile])
    report = deliver([message.id for message in messages], Stream.CRITICAL, Carrier(task_id="", worker=""))
    assert str(report) == "2 sent, 1 claim lost"
    assert late not in {mail.to_address for mail in provider.taken}


def test_delivered_recheck_lifts_the_suppression(provider):
    suppress.suppress(ADDRESS, Reason.SOFT_BOUNCES, "")
    rest()
    reported(reset(), "delivered", recipient=ADDRESS)
    assert in_force() == set()
    assert Suppression.objects.get().lift_reason == suppress.RECHECK_DELIVERED


def test_late_delivery_of_another_message_lifts_nothing(provider):
    suppress.suppress(ADDRESS, Reason.SOFT_BOUNCES, "")
    rest()
    assert reset().status == Status.SENT
    reported(sent(), "delivered", recipient=ADDRESS)
    assert in_force() == {Reason.SOFT_BOUNCES}


def test_bounce_from_before_an_operators_lift_is_ignored():
    bounce(bounce="hard")
    assert suppress.lift(Suppression.objects.get(), UserFactory(), "they called")
    bounce(bounce="hard", at="2026-01-02T03:04:05Z")
    assert in_force() == set()
    bounce(bounce="hard", at="2126-01-02T03:04:05Z")
    assert in_force() == {Reason.HARD_BOUNCE}


def test_one_soft_bounce_after_a_lift_does_not_suppress_again():
    for _ in range(3):
        bounce(bounce="soft")
    ProviderEvent.objects.update(received_at=Now() - timedelta(minutes=1))
    assert suppress.lift(Suppression.objects.get(), UserFactory(), "they called")
    ProviderEvent.objects.update(received_at=Now() - timedelta(minutes=1))
    bounce(bounce="soft")
    assert in_force() == set()


def test_revoked_complaint_lifts_only_the_complaint():
    bounce("complained")
    bounce(bounce="hard")
    bounce("not spam")
    # The recipient has not consented to bulk email again.
    assert in_force() == {Reason.HARD_BOUNCE, Reason.UNSUBSCRIBED}


def test_lifted_address_gets_email_and_the_row_names_operator_and_reason(provider):
    operator = UserFactory()
    suppress.suppress(ADDRESS, Reason.HARD_BOUNCE, "")
    row = Suppression.objects.get()
    assert suppress.lift(row, operator, WHY)
    assert not suppress.lift(row, UserFactory(), "too late")
    row.refresh_from_db()
    assert (row.lifted_by, row.lift_reason) == (operator, WHY)
    assert reset().status == Status.SENT
