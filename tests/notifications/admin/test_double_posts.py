"""Two simultaneous posts of an action, by a double click or by two operators, act once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications.events import suppress
from notifications.models import Message, Suppression
from notifications.outbox.retry_now import retry_now
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from tests.accounts.racing import post_together
from tests.factories import MessageFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operators():
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return clients


def posted(operators, name, row, *fields):
    path = reverse(f"admin:notifications_{name}", args=[row.pk])
    answers = post_together([(client, path, one) for client, one in zip(operators, fields, strict=True)])
    assert [answer.status_code for answer in answers] == [302, 302]


def sent(status, **more):
    user = UserFactory(confirmed_at=timezone.now())
    return MessageFactory(user=user, kind="password-changed", status=status, **more)


@pytest.mark.parametrize("forms", [1, 2])
def test_two_resends_make_one_copy(operators, forms):
    message = sent(Status.SENT, sent_at=timezone.now())
    ids = [uuid4() for _ in range(forms)]
    fields = [{"request_id": ids[place], "do": "resend.sent-before"} for place in (0, -1)]
    posted(operators, "message_resend", message, *fields)
    assert Message.objects.filter(resend_of=message).count() == 1
    assert LogEntry.objects.count() == 1


def test_two_replays_replay_once(operators):
    message = sent(Status.DEAD)
    posted(operators, "deadletter_replay", message, {}, {})
    message.refresh_from_db()
    assert (message.status, message.replays) == (Status.QUEUED, 1)
    assert LogEntry.objects.count() == 1


def test_replay_and_resend_of_one_dead_letter_send_one_email(operators):
    message = sent(Status.DEAD)
    replay, resend = (
        reverse(f"admin:notifications_{name}", args=[message.pk]) for name in ("deadletter_replay", "message_resend")
    )
    fields = {"request_id": uuid4(), "do": ["replay.sends", "resend.sends", "resend.sent-before"]}
    post_together([(operators[0], replay, {}), (operators[1], resend, fields)])
    assert Message.objects.filter(status=Status.QUEUED).count() == 1


@pytest.mark.parametrize("other", ["again", "drop", "sent"])
def test_of_two_decisions_the_first_counts(operators, other):
    message = sent(Status.UNCERTAIN, attempts=1)
    posted(operators, "uncertainmessage_settle", message, {"again": "1"}, {other: "1"})
    message.refresh_from_db()
    assert message.status != Status.UNCERTAIN
    assert message.uncertain_resends == (message.status == Status.QUEUED)
    assert LogEntry.objects.count() == 1


def test_two_retries_retry_once(operators):
    message = sent(Status.QUEUED, due_at=timezone.now() + timedelta(hours=1))
    fields = [{"request_id": uuid4(), "do": "retry.sends"} for _ in range(2)]
    posted(operators, "message_resend", message, *fields)
    assert LogEntry.objects.count() == 1
    assert Message.objects.count() == 1


def test_a_retry_that_begins_before_another_and_comes_second_does_nothing():
    message = sent(Status.QUEUED, due_at=timezone.now() + timedelta(hours=1))
    # The time at which the other retry began: later than this one's.
    Message.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    assert not retry_now(message)


def test_two_cancellations_cancel_once(operators):
    message = sent(Status.QUEUED)
    posted(operators, "message_cancel", message, {"why": "asked"}, {"why": "asked too"})
    message.refresh_from_db()
    assert message.status == Status.CANCELLED
    assert LogEntry.objects.count() == 1


def test_two_lifts_with_a_resend_send_one_email(operators):
    message = sent(Status.SUPPRESSED)
    suppress.suppress(message.to_address, Reason.HARD_BOUNCE, "550")
    fields = [{"request_id": uuid4(), "do": "lift.suppressed", "why": "asked"} for _ in range(2)]
    posted(operators, "message_resend", message, *fields)
    assert Message.objects.filter(resend_of=message).count() == 1
    # The lift, and the resend.
    assert LogEntry.objects.count() == 2


def test_two_lifts_lift_once(operators):
    suppress.suppress("ada@example.com", Reason.HARD_BOUNCE, "550")
    posted(operators, "suppression_lift", Suppression.objects.get(), {"why": "asked"}, {"why": "asked too"})
    assert LogEntry.objects.count() == 1
