"""The owner of an address that bounced has it tested once a day; a delivery lifts the suppression."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from notifications import can_recheck, request_recheck
from notifications.events import lifting, suppress
from notifications.models import Message, Suppression
from notifications.outbox import Draft, enqueue
from notifications.outbox.recheck import WAITS
from notifications.rules.states import Status, Stream
from notifications.rules.suppression import Reason
from tests.factories import UserFactory
from tests.notifications.delivery.delivering import run
from tests.notifications.events.test_apply import reported
from tests.scripted import ScriptedAccount
from tests.scripted_webhook import ScriptedWebhook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

ADDRESS = "ada@example.com"


@pytest.fixture(autouse=True)
def _reports(registered):
    registered("scripted", webhook=ScriptedWebhook)


@pytest.fixture
def ada():
    user = UserFactory(email=ADDRESS, confirmed_at=Now())
    user.refresh_from_db()
    return user


@pytest.fixture
def bounced(ada):
    suppress.suppress(ADDRESS, Reason.HARD_BOUNCE, "no such mailbox")
    return ada


def asked(user):
    return request_recheck(Draft(kind="address-check", to=user.email, user=user))


def waited(message):
    """Let the message become due; return it."""
    Message.objects.filter(pk=message.pk).update(due_at=Now())
    return Message.objects.get(pk=message.pk)


def in_force():
    return {row.reason for row in Suppression.objects.in_force([ADDRESS])}


def pass_hours(hours):
    Suppression.objects.update(rechecked_at=F("rechecked_at") - timedelta(hours=hours))


def test_delivered_recheck_lifts_the_suppression(bounced, provider):
    message = waited(asked(bounced))
    other = enqueue(Draft(kind="password-changed", to=ADDRESS, user=bounced))
    assert other.status == Status.SUPPRESSED
    assert run(message, stream=Stream.CRITICAL).counts == {"sent": 1}
    assert in_force() == {Reason.HARD_BOUNCE}
    reported(Message.objects.get(pk=message.pk), "delivered", recipient=ADDRESS)
    assert in_force() == set()
    assert enqueue(Draft(kind="password-changed", to=ADDRESS, user=bounced)).status == Status.QUEUED
    assert not can_recheck(ADDRESS)


def test_recheck_that_bounces_leaves_the_suppression(bounced, provider):
    message = waited(asked(bounced))
    run(message, stream=Stream.CRITICAL)
    reported(Message.objects.get(pk=message.pk), "bounced", bounce="hard", recipient=ADDRESS)
    assert in_force() == {Reason.HARD_BOUNCE}
    assert Suppression.objects.count() == 1


def test_message_that_has_ended_keeps_its_times(bounced):
    draft = Draft(kind="address-check", to=ADDRESS, user=bounced, key="checked")
    earlier = request_recheck(draft)
    Message.objects.filter(pk=earlier.pk).update(status=Status.CANCELLED, due_at=earlier.created_at)
    pass_hours(25)
    assert request_recheck(draft).pk == earlier.pk
    assert Message.objects.get().due_at == earlier.created_at


def test_address_is_tested_once_a_day(bounced):
    assert can_recheck(ADDRESS)
    assert asked(bounced).status == Status.QUEUED
    pass_hours(23)
    assert not can_recheck(ADDRESS)
    assert asked(bounced) is None
    pass_hours(2)
    assert can_recheck(ADDRESS)
    assert asked(bounced).status == Status.QUEUED
    assert Message.objects.count() == 2


def test_recheck_begins_the_day_when_it_is_sent(bounced, provider):
    message = waited(asked(bounced))
    pass_hours(25)
    run(message, stream=Stream.CRITICAL)
    assert asked(bounced) is None


def test_all_bounces_of_an_address_are_tested_together(bounced, provider):
    suppress.suppress(ADDRESS, Reason.SOFT_BOUNCES, "")
    suppress.suppress(ADDRESS, Reason.UNSUBSCRIBED, "")
    message = waited(asked(bounced))
    run(message, stream=Stream.CRITICAL)
    reported(Message.objects.get(pk=message.pk), "delivered", recipient=ADDRESS)
    assert in_force() == {Reason.UNSUBSCRIBED}


@pytest.mark.parametrize("reason", [Reason.COMPLAINT, Reason.BY_HAND])
def test_other_suppressions_allow_no_test(bounced, reason):
    suppress.suppress(ADDRESS, reason, "")
    assert not can_recheck(ADDRESS)
    assert asked(bounced) is None
    assert not Message.objects.exists()


def test_address_that_accepts_email_needs_no_test(ada):
    assert not can_recheck(ADDRESS)
    assert asked(ada) is None


def test_recheck_waits_until_the_provider_has_the_address_off_its_list(bounced, registered):
    account = ScriptedAccount()
    registered("scripted", account=lambda: account)
    Suppression.objects.update(provider="scripted")
    assert lifting.lift_at_providers() == 0
    message = asked(bounced)
    due = Message.objects.annotate(wait=F("due_at") - F("created_at")).get(pk=message.pk)
    assert due.wait >= WAITS
    assert (lifting.lift_at_providers(), lifting.lift_at_providers()) == (1, 0)
    assert account.asked == [(ADDRESS, Reason.HARD_BOUNCE)]
    assert in_force() == {Reason.HARD_BOUNCE}


def test_provider_is_asked_again_when_an_operator_lifts_what_a_recheck_did_not(bounced, admin_user, registered):
    account = ScriptedAccount()
    registered("scripted", account=lambda: account)
    Suppression.objects.update(provider="scripted")
    asked(bounced)
    lifting.lift_at_providers()
    suppress.lift(Suppression.objects.get(), admin_user, "they called")
    assert lifting.lift_at_providers() == 1
    assert len(account.asked) == 2


@pytest.mark.django_db(transaction=True)
def test_two_clicks_send_one_message(bounced):
    def click(_):
        try:
            return asked(bounced)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        messages = [message for message in pool.map(click, range(4)) if message]
    assert len(messages) == 1
    assert Message.objects.get().pk == messages[0].pk
