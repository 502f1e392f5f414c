"""SES events: what is stored, and where our id is found."""

import json

import pytest

from notifications.providers.base.webhook import UnknownEventError
from notifications.providers.ses.webhook import SesWebhook
from notifications.rules.outcomes import BounceKind
from tests.notifications.providers.base.signing import as_posted

OURS = "0b0f0e2c-7d1a-4a57-9d7b-2f6f3a5c9e10"
METADATA = json.dumps({"mailroom_message_id": OURS, "mailroom_attempt": "2"})
ses = SesWebhook()


def event(**mail):
    return {"eventType": "Send", "mail": {"messageId": "1", "destination": ["ada@example.com"], **mail}, "send": {}}


@pytest.fixture
def kept(amazon, sns):
    def post(said):
        (found,) = ses.verify_and_parse(as_posted(sns.notification(said))).events
        return found.payload

    return post


def test_only_our_headers_are_kept(kept):
    headers = [
        {"name": "Subject", "value": "Your new password"},
        {"name": "List-Unsubscribe", "value": "<https://mail.example.com/u/a-token>"},
        {"name": "x-metadata", "value": METADATA},
        "not a header",
    ]
    payload = kept(event(headers=headers, commonHeaders={"subject": "Your new password"}, headersTruncated=True))
    assert payload["mail"] == {
        "messageId": "1",
        "destination": ["ada@example.com"],
        "headersTruncated": True,
        "headers": [{"name": "x-metadata", "value": METADATA}],
    }
    assert str(ses.interpret(payload).message_id) == OURS


@pytest.mark.parametrize(
    ("mail", "expected"),
    [
        ({"tags": {"mailroom_message_id": [OURS], "mailroom_attempt": ["2"]}}, (OURS, 2)),
        ({"tags": {"mailroom_message_id": [OURS]}, "headers": []}, (OURS, None)),
        ({"tags": {"other": ["x"]}, "headers": [{"name": "X-Metadata", "value": METADATA}]}, (OURS, 2)),
        ({"headers": [{"name": "X-METADATA", "value": METADATA.replace(", ", ",\r\n ")}]}, (OURS, 2)),
        ({"headers": [{"name": "X-Metadata", "value": "{"}, {"name": "X-Metadata", "value": METADATA}]}, (OURS, 2)),
        ({"headers": [{"name": "X-Metadata", "value": "[1]"}]}, ("None", None)),
        ({"headers": [{"name": "X-Metadata"}]}, ("None", None)),
        ({"headers": {"X-Metadata": METADATA}}, ("None", None)),
        ({"tags": {"mailroom_message_id": OURS}}, ("None", None)),
        ({"tags": {"mailroom_message_id": []}}, ("None", None)),
        ({"tags": {"mailroom_message_id": ["another application's"], "mailroom_attempt": ["2"]}}, ("None", 2)),
        ({"tags": {"mailroom_message_id": [OURS], "mailroom_attempt": ["-1"]}}, (OURS, None)),
        ({"tags": {"mailroom_message_id": [OURS], "mailroom_attempt": ["99999"]}}, (OURS, None)),
        ({"tags": {"mailroom_message_id": [OURS], "mailroom_attempt": ["²"]}}, (OURS, None)),
    ],
)
def test_our_id_is_found_in_tags_and_in_the_header(mail, expected):
    found = ses.interpret(event(**mail))
    assert (str(found.message_id), found.attempt) == expected


@pytest.mark.parametrize(
    ("destination", "listed", "expected"),
    [
        (["Ada@Example.COM"], "ada@forwarded.example", "ada@example.com"),
        (["Ada <ada@example.com>"], None, "ada@example.com"),
        (["ada@example.com", "bob@example.com"], "Bob@example.com", "bob@example.com"),
        ([], "bob@example.com", "bob@example.com"),
        (None, "<bob@example.com>", "bob@example.com"),
    ],
)
def test_recipient_is_the_address_that_we_wrote_to(destination, listed, expected):
    bounce = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": listed}]}
    said = {"eventType": "Bounce", "mail": {"destination": destination}, "bounce": bounce}
    assert ses.interpret(said).recipient == expected


@pytest.mark.parametrize(
    ("kind", "subtype", "person", "expected"),
    [
        ("Transient", "General", {}, BounceKind.AUTO_REPLY),
        ("Transient", "General", {"diagnosticCode": None, "status": ""}, BounceKind.AUTO_REPLY),
        ("Transient", "General", {"status": "4.0.0"}, BounceKind.SOFT),
        ("Transient", "General", {"action": "failed"}, BounceKind.SOFT),
        ("Transient", "General", {"diagnosticCode": "smtp; 550"}, BounceKind.SOFT),
        ("Transient", "MailboxFull", {}, BounceKind.SOFT),
        ("Transient", "SomethingNew", {}, BounceKind.SOFT),
        ("Undetermined", "Undetermined", {}, BounceKind.SOFT),
        ("Permanent", "General", {}, BounceKind.HARD),
    ],
)
def test_automatic_reply_is_a_transient_bounce_without_a_status_notification(kind, subtype, person, expected):
    bounce = {"bounceType": kind, "bounceSubType": subtype, "bouncedRecipients": [person]}
    said = {"eventType": "Bounce", "mail": {"destination": ["ada@example.com"]}, "bounce": bounce}
    assert ses.interpret(said).bounce is expected


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"eventType": "Something New"},
        {"eventType": ["Bounce"]},
        {"eventType": "Send"},
        {"eventType": "Send", "mail": {"destination": [7]}},
        {"eventType": "Send", "mail": {"destination": ["no-address"]}},
        {"eventType": "Send", "mail": {"destination": ["a@b@c"]}} | {"mail": {"destination": ["x" * 400 + "@b"]}},
        {"eventType": "Bounce", "mail": {"destination": ["ada@example.com"]}},
        {"eventType": "Bounce", "mail": {"destination": ["ada@example.com"]}, "bounce": {"bounceType": "New"}},
    ],
)
def test_event_of_an_unknown_type_is_unknown(payload):
    with pytest.raises(UnknownEventError):
        ses.interpret(payload)


def test_event_of_an_unknown_type_is_kept_for_operators(kept):
    assert kept({"eventType": "Something New", "new": {"a": 1}})["new"] == {"a": 1}


def test_inbound_email_is_noted_and_not_kept(amazon, sns):
    batch = ses.verify_and_parse(as_posted(sns.notification({"notificationType": "Received", "content": "a letter"})))
    assert batch.events == []
    assert "inbound" in batch.note


def test_long_text_of_a_server_is_cut_to_one_line():
    delivery = {"smtpResponse": "250\r\n" + "ok\x00 " * 200}
    found = ses.interpret({"eventType": "Delivery", "mail": {"destination": ["ada@example.com"]}, "delivery": delivery})
    assert len(found.detail) == 300
    assert found.detail.startswith("250 ok ok")
    assert found.detail.endswith("…")
