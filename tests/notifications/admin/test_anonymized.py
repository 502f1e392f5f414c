"""What the admin says of mail whose recipient was anonymized, and that it does nothing with it."""

import re
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from notifications.models import Message
from notifications.outbox.settle import send_again
from notifications.rules.states import Status
from tests.factories import MessageFactory

pytestmark = pytest.mark.django_db


def anonymized(**fields):
    message = MessageFactory(**fields)
    message.user.delete()
    message.refresh_from_db()
    return message


def held():
    """A call was under way when the account went, and its answer was lost."""
    message = anonymized(sending=True, handed_over=True)
    freed = {"lease_token": None, "lease_until": None, "handed_over_at": None}
    Message.objects.filter(id=message.id).update(status=Status.UNCERTAIN, **freed)
    return message


def said(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


@pytest.mark.parametrize("model", ["message", "deadletter"])
def test_lists_say_anonymized_in_place_of_the_address(admin_client, model):
    anonymized(status=Status.DEAD)
    page = admin_client.get(reverse(f"admin:notifications_{model}_changelist")).content.decode()
    assert '<td class="field-recipient nowrap"><a' in page or '<th class="field-recipient"><a' in page
    assert ">anonymized</a>" in page


def test_page_of_a_message_says_since_when_and_offers_nothing(admin_client):
    page = said(admin_client.get(reverse("admin:notifications_message_change", args=[anonymized(status="dead").id])))
    assert "Anonymized at:" in page
    assert "Resend …" not in page
    assert "Replay …" not in page


def test_resend_refuses_and_says_why(admin_client):
    message = anonymized(status=Status.SENT, sent_at=Now())
    url = reverse("admin:notifications_message_resend", args=[message.id])
    assert "welcome to an erased address" in said(admin_client.get(url))
    admin_client.post(url, {"request_id": uuid4()}, follow=True)
    assert not Message.objects.filter(resend_of__isnull=False).exists()


def test_replay_refuses_and_says_why(admin_client):
    message = anonymized(status=Status.DEAD)
    url = reverse("admin:notifications_deadletter_replay", args=[message.id])
    assert "0 of 1 would be queued again" in said(admin_client.get(url))
    assert "Still dead: 1 anonymized." in said(admin_client.post(url, follow=True))


def test_settling_refuses_to_send_again_and_drops(admin_client):
    message = held()
    url = reverse("admin:notifications_uncertainmessage_settle", args=[message.id])
    page = said(admin_client.get(url))
    assert "welcome to an erased address" in page
    assert "held, and anonymized: it cannot be sent again" in page
    assert "0 of 1 queued to be sent again" in said(admin_client.post(url, {"again": "1"}, follow=True))
    assert not send_again(Message.objects.get(id=message.id), "ops")
    assert "1 of 1 dropped." in said(admin_client.post(url, {"drop": "1"}, follow=True))


def test_uncertain_ones_are_listed(admin_client):
    held()
    page = admin_client.get(reverse("admin:notifications_uncertainmessage_changelist")).content.decode()
    assert ">anonymized</a>" in page
