"""Reports about further recipients concern their addresses, not the message."""

from uuid import uuid4

import pytest
from django.db.models.functions import Now

from notifications.events import ingest
from notifications.events.apply import read_due
from notifications.models import Message, ProviderEvent, Suppression
from notifications.providers.base.webhook import RawEvent
from notifications.providers.ses.webhook import batch_of
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status
from tests.factories import MessageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def reported(message, kind, recipient, **more):
    payload = {"id": str(uuid4()), "kind": kind, "message": str(message.id), "recipient": recipient, **more}
    ingest.store("scripted", [RawEvent(payload["id"], payload)])
    read_due()
    return Message.objects.get(id=message.id)


@pytest.fixture
def message():
    return MessageFactory(status=Status.SENT, sent_at=Now(), has_content=True)


def test_bounce_of_a_further_recipient_suppresses_that_address_only(message):
    after = reported(message, "bounced", "Bob@example.com", bounce="hard")
    assert after.outcome == Outcome.UNKNOWN
    assert Suppression.objects.get().address == ProviderEvent.objects.get().recipient == "bob@example.com"


@pytest.mark.parametrize("recipient", ["", "ADA", " {} ", "Ada <{}>"])
def test_report_that_names_no_other_address_is_about_the_message(message, recipient):
    after = reported(message, "delivered", recipient.format(message.to_address.upper()))
    assert after.outcome == Outcome.DELIVERED


def test_delivery_to_a_further_recipient_is_no_delivery_of_the_message(message):
    assert reported(message, "delivered", "bob@example.com").outcome == Outcome.UNKNOWN
    assert reported(message, "delivered", message.to_address).outcome == Outcome.DELIVERED


def test_any_report_settles_an_uncertain_message():
    message = MessageFactory(uncertain=True, has_content=True)
    assert reported(message, "delivered", "bob@example.com").status == Status.SENT


def test_ordinary_message_has_one_recipient_however_it_is_spelled():
    message = MessageFactory(status=Status.SENT, sent_at=Now())
    assert reported(message, "bounced", "forwarded@example.com", bounce="hard").outcome == Outcome.BOUNCED
    assert Suppression.objects.get().address == message.to_address


def test_report_of_ses_about_several_recipients_is_split():
    people = [{"emailAddress": f"{name}@example.com"} for name in ("ada", "bob")]
    mail = {"destination": ["ada@example.com", "bob@example.com"]}
    event = {"eventType": "Bounce", "mail": mail, "bounce": {"bouncedRecipients": people}}
    found = batch_of("an-id", event).events
    assert [one.event_id for one in found] == ["an-id", "an-id:1"]
    assert [one.payload["bounce"]["bouncedRecipients"] for one in found] == [[one] for one in people]
    complaint = {"eventType": "Complaint", "mail": mail, "complaint": {"complainedRecipients": people}}
    assert len(batch_of("an-id", complaint).events) == 1
