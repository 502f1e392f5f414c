"""Stored content is erased with the message, and scheduled email counts from its time."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from notifications import Draft, anonymization, enqueue
from notifications.models import Message, MessageContent
from notifications.rules.states import Status
from tests.factories import MessageFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def fresh(message):
    return Message.objects.get(id=message.id)


def test_content_and_further_recipients_are_erased_with_the_account():
    ada = UserFactory()
    draft = Draft(kind="product-news", to=ada.email, user=ada, cc=["bob@example.com"], context={"headline": "News"})
    message = enqueue(draft)
    anonymization.anonymize_user(ada)
    assert not MessageContent.objects.exists()
    assert (fresh(message).has_content, fresh(message).status) == (False, Status.CANCELLED)


def test_scheduled_email_without_account_is_anonymized_some_days_after_its_time():
    old = timezone.now() - timedelta(days=30)
    times = {"created_at": old, "sent_at": Now(), "status": Status.SENT, "user": None, "to_address": "ada@example.com"}
    young = MessageFactory(**times, send_at=timezone.now() - timedelta(days=1))
    gone = MessageFactory(**times, send_at=old)
    assert anonymization.anonymize_ended() == 1
    assert (fresh(young).anonymized_at, fresh(gone).to_address) == (None, "")
