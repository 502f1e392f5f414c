"""Anonymized messages in the admin: shown, but never sent again."""

from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from notifications.admin.dead import VERDICTS
from notifications.admin.uncertain import NEEDS_DECISION_ANONYMIZED
from notifications.admin.verdicts import Verb, Verdict
from notifications.delivery.replay import ReplayVerdict
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
    """Return a message whose account was deleted during the call, and whose answer was lost."""
    message = anonymized(sending=True, handed_over=True)
    freed = {"lease_token": None, "lease_until": None, "handed_over_at": None}
    Message.objects.filter(id=message.id).update(status=Status.UNCERTAIN, **freed)
    return message


def levels(page):
    return [message.level_tag for message in page.context["messages"]]


@pytest.mark.parametrize("model", ["message", "deadletter"])
def test_lists_show_no_address(admin_client, model):
    anonymized(status=Status.DEAD)
    page = admin_client.get(reverse(f"admin:notifications_{model}_changelist")).content.decode()
    assert '<td class="field-recipient nowrap"><a' in page or '<th class="field-recipient"><a' in page
    assert ">anonymized</a>" in page


def test_page_of_a_message_offers_no_action(admin_client):
    message = anonymized(status="dead")
    page = admin_client.get(reverse("admin:notifications_message_change", args=[message.id]))
    assert "field-anonymized_at" in page.content.decode()
    assert list(page.context["offers"]) == []


def test_resend_is_refused(admin_client):
    message = anonymized(status=Status.SENT, sent_at=Now())
    url = reverse("admin:notifications_message_resend", args=[message.id])
    (proposal,) = admin_client.get(url).context["found"]
    assert (proposal.message, proposal.verb, proposal.verdict) == (message, Verb.NONE, Verdict.ANONYMIZED)
    admin_client.post(url, {"request_id": uuid4(), "do": proposal.key}, follow=True)
    assert not Message.objects.filter(resend_of__isnull=False).exists()


def test_replay_is_refused(admin_client):
    message = anonymized(status=Status.DEAD)
    url = reverse("admin:notifications_deadletter_replay", args=[message.id])
    tally = admin_client.get(url).context["tally"]
    assert tally.counts == {ReplayVerdict.ANONYMIZED: 1}
    page = admin_client.post(url, follow=True)
    assert levels(page) == ["warning"]
    assert str(VERDICTS[ReplayVerdict.ANONYMIZED]) in str(next(iter(page.context["messages"])))


def test_uncertain_message_can_only_be_dropped(admin_client):
    message = held()
    url = reverse("admin:notifications_uncertainmessage_settle", args=[message.id])
    ((uncertain, next_step, _),) = admin_client.get(url).context["rows"]
    assert (uncertain.id, next_step) == (message.id, NEEDS_DECISION_ANONYMIZED)
    assert levels(admin_client.post(url, {"again": "1"}, follow=True)) == ["warning"]
    assert not send_again(Message.objects.get(id=message.id), "ops")
    assert levels(admin_client.post(url, {"drop": "1"}, follow=True)) == ["success"]
    assert Message.objects.get(id=message.id).status == Status.CANCELLED


def test_uncertain_messages_are_listed(admin_client):
    held()
    page = admin_client.get(reverse("admin:notifications_uncertainmessage_changelist")).content.decode()
    assert ">anonymized</a>" in page
