"""Events without an id of the message, or only with its header, like late bounces by email."""

import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import F
from django.db.models.functions import Now

from notifications.events import ingest
from notifications.events.apply import PARK_FOR_S, read_due
from notifications.models import Message, ProviderEvent, Suppression
from notifications.providers.base.webhook import RawEvent
from notifications.rules.outcomes import Outcome
from notifications.rules.states import Status
from notifications.rules.suppression import Reason
from tests.factories import MessageFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

ADDRESS = "ada@example.com"
LATE_BOUNCE = {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such user"}
ZEROS = "00000000-0000-0000-0000-000000000000"


def sent(ago=timedelta(0), **more):
    fields = {"to_address": ADDRESS, "provider": "sendgrid", "outcome": Outcome.DELIVERED, **more}
    user = UserFactory()
    return MessageFactory(status=Status.SENT, sent_at=Now() - ago, created_at=Now() - ago, user=user, **fields)


def reported(provider, payload):
    ingest.store(provider, [RawEvent(str(uuid4()), payload)])
    read_due()
    return ProviderEvent.objects.latest("id")


def by_sendgrid(**more):
    return reported("sendgrid", {"email": ADDRESS, "timestamp": int(time.time()), **LATE_BOUNCE, **more})


def outcome(message):
    return Message.objects.get(id=message.id).outcome


def in_force():
    return {row.reason for row in Suppression.objects.in_force([ADDRESS])}


def test_late_bounce_without_ids_counts_for_the_address_and_its_newest_message():
    older, newest = sent(timedelta(hours=2)), sent(timedelta(hours=1))
    event = by_sendgrid()
    assert (event.state, event.message) == ("applied", newest)
    assert (outcome(older), outcome(newest)) == (Outcome.DELIVERED, Outcome.BOUNCED)
    assert in_force() == {Reason.HARD_BOUNCE}


@pytest.mark.parametrize("more", [{"sg_message_id": "14c5d75ce93.dfd.64b469.filter0001"}, {"smtp-id": "<a@b>"}, {}])
def test_unknown_form_of_id_is_ignored(more):
    newest = sent()
    by_sendgrid(**more)
    assert outcome(newest) == Outcome.BOUNCED


def test_only_a_matching_message_is_found():
    """Not one of another provider, one sent later or one that was never sent."""
    others = [sent(provider="ses"), sent(timedelta(minutes=-20)), MessageFactory(to_address=ADDRESS)]
    by_server = sent(timedelta(hours=3), provider="smtp")
    by_sendgrid()
    assert outcome(by_server) == Outcome.BOUNCED
    assert {outcome(message) for message in others} == {Outcome.DELIVERED, Outcome.UNKNOWN}


def test_address_is_suppressed_without_a_matching_message():
    sent(provider="ses")
    event = by_sendgrid()
    assert (event.state, event.message, event.recipient) == ("applied", None, ADDRESS)
    assert in_force() == {Reason.HARD_BOUNCE}


def test_address_that_we_never_wrote_to_is_ignored():
    assert by_sendgrid().state == "foreign"
    assert in_force() == set()


@pytest.mark.parametrize("event", ["processed", "delivered", "deferred"])
def test_event_that_does_not_concern_an_address_is_foreign(event):
    newest = sent(outcome=Outcome.UNKNOWN)
    assert by_sendgrid(event=event).state == "foreign"
    assert outcome(newest) == Outcome.UNKNOWN


def test_event_with_an_id_of_another_application_is_foreign():
    sent()
    assert by_sendgrid(mailroom_message_id=str(uuid4())).state == "foreign"
    assert in_force() == set()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"event": "spamreport"}, Reason.COMPLAINT),
        ({"event": "unsubscribe"}, Reason.UNSUBSCRIBED),
        ({"event": "dropped", "reason": "Bounced Address"}, Reason.HARD_BOUNCE),
    ],
)
def test_complaint_and_unsubscription_count_too(payload, reason):
    sent()
    by_sendgrid(**payload)
    assert in_force() == {reason}


def test_soft_bounces_without_ids_are_counted_by_message():
    for hours in (3, 2, 1):
        message = sent(timedelta(hours=hours), outcome=Outcome.UNKNOWN)
        at = int(time.time()) - hours * 3600 + 60
        by_sendgrid(type="blocked", status="5.2.2", reason="552 5.2.2 mailbox full", timestamp=at)
        assert outcome(message) == Outcome.BOUNCED
    assert in_force() == {Reason.SOFT_BOUNCES}


def test_internationalized_domain_is_found_in_either_spelling():
    newest = sent(to_address="ada@xn--bcher-kva.example")
    by_sendgrid(email="Ada@Bücher.example")
    assert outcome(newest) == Outcome.BOUNCED


def test_message_is_found_by_our_message_id_header():
    """SendGrid's name of the header; an address that changed in transit does not matter."""
    message, newer = sent(timedelta(hours=1)), sent()
    by_sendgrid(**{"smtp-id": f"<{message.id}@mailroom.example>", "email": "forwarded@example.org"})
    assert (outcome(message), outcome(newer)) == (Outcome.BOUNCED, Outcome.DELIVERED)
    assert in_force() == {Reason.HARD_BOUNCE}


def test_header_of_another_application_leads_to_no_message():
    newest = sent()
    by_sendgrid(**{"smtp-id": f"<{uuid4()}@elsewhere.example>"})
    assert outcome(newest) == Outcome.BOUNCED


def test_ses_returns_our_message_id_of_an_email_sent_by_smtp():
    message = sent(provider="smtp", outcome=Outcome.UNKNOWN)
    header = {"name": "Message-ID", "value": f"<{message.id}@mailroom.example>"}
    mail = {"messageId": "0100-unknown", "destination": [ADDRESS], "headers": [header]}
    reported("ses", {"eventType": "Delivery", "mail": mail, "delivery": {"recipients": [ADDRESS]}})
    assert outcome(message) == Outcome.DELIVERED


@pytest.mark.parametrize(
    ("provider", "payload"),
    [
        ("postmark", {"RecordType": "Bounce", "Type": "Unsubscribe", "Metadata": "ours"}),
        ("postmark", {"RecordType": "Bounce", "Type": "Unsubscribe", "Email": "", "Metadata": "ours"}),
        ("postmark", {"RecordType": "Delivery", "DeliveredAt": "2026-01-02T03:04:05Z", "Metadata": "ours"}),
        ("postmark", {"Type": "HardBounce", "BouncedAt": "2026-01-02T03:04:05Z", "Metadata": "ours"}),
        ("ses", {"eventType": "Send", "mail": {"messageId": "0100", "tags": "ours"}, "send": {}}),
        ("ses", {"eventType": "Complaint", "mail": {"destination": [], "tags": "ours"}, "complaint": {}}),
        ("sendgrid", {"event": "unsubscribe", "ours": "ours"}),
    ],
)
def test_event_without_a_recipient_takes_the_messages(provider, payload):
    message = sent(provider=provider)
    ours = {"mailroom_message_id": str(message.id), "mailroom_attempt": "1"}
    if "Metadata" in payload:
        payload = {**payload, "Metadata": ours}
    elif "mail" in payload:
        payload = {**payload, "mail": {**payload["mail"], "tags": {name: [value] for name, value in ours.items()}}}
    else:
        payload |= ours
    event = reported(provider, payload)
    assert (event.state, event.message, event.recipient) == ("applied", message, ADDRESS)


def test_postmarks_suppression_of_an_address_names_no_message():
    newest = sent(provider="postmark")
    change = {"SuppressSending": True, "SuppressionReason": "SpamComplaint", "Recipient": ADDRESS, "MessageID": ZEROS}
    reported("postmark", {"RecordType": "SubscriptionChange", **change})
    assert outcome(newest) == Outcome.COMPLAINED
    assert in_force() == {Reason.COMPLAINT}


@pytest.mark.parametrize(
    ("kind", "reasons"),
    [
        ({"bounceType": "Permanent", "bounceSubType": "General"}, {Reason.HARD_BOUNCE}),
        ({"bounceType": "Transient", "bounceSubType": "MailboxFull"}, set()),
    ],
)
def test_hard_bounce_of_another_application_counts_for_the_address_later(kind, reasons):
    """The provider keeps one suppression list for the account, which also applies to our emails."""
    message = sent(provider="ses")
    status = "5.1.1" if reasons else "5.2.2"
    said = {"bouncedRecipients": [{"emailAddress": ADDRESS, "status": status}], **kind}
    mail = {"messageId": "0100-unknown", "destination": [ADDRESS]}
    assert reported("ses", {"eventType": "Bounce", "mail": mail, "bounce": said}).state == "parked"
    ProviderEvent.objects.update(
        received_at=F("received_at") - timedelta(seconds=PARK_FOR_S + 1), read_after=F("received_at")
    )
    read_due()
    assert in_force() == reasons
    # The message is unknown, and no guess is made.
    assert outcome(message) == Outcome.DELIVERED
