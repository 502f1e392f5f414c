"""SendGrid's webhooks: signed batches of events."""

import json
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from notifications.providers.base.webhook import (
    CannotVerifyError,
    InvalidSignatureError,
    MalformedError,
    UnknownEventError,
    WebhookRequest,
)
from notifications.providers.sendgrid.webhook import SendGridWebhook
from notifications.providers.simulator.webhook import SimulatorWebhook
from notifications.rules.outcomes import BounceKind
from tests.notifications.providers.base.signing import SendGrid

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
DELIVERED = {"event": "delivered", "email": "ada@example.com", "sg_event_id": "one", "timestamp": 1795166162}
BODY = json.dumps([DELIVERED]).encode()
webhook = SendGridWebhook()


@pytest.fixture(autouse=True)
def _key(settings, sendgrid):
    settings.SENDGRID_WEBHOOK_KEY = sendgrid.shown_key()


def refused(posted, error=InvalidSignatureError):
    with pytest.raises(error) as refusal:
        webhook.verify_and_parse(posted)
    return refusal.value


def test_signed_batch_is_accepted(sendgrid):
    (event,) = webhook.verify_and_parse(sendgrid.posted(BODY)).events
    assert (event.event_id, event.payload) == ("one", DELIVERED)


def test_header_names_may_be_in_any_case(sendgrid):
    posted = sendgrid.posted(BODY)
    lower = WebhookRequest(posted.body, {name.lower(): value for name, value in posted.headers.items()})
    assert webhook.verify_and_parse(lower).events


@pytest.mark.parametrize("shape", ["pem", "pem with spaces around", "wrapped"])
def test_key_may_have_another_form(settings, sendgrid, shape):
    shown = sendgrid.shown_key()
    wrapped = f"{shown[:64]}\n{shown[64:]}\n"
    shapes = {"pem": sendgrid.pem(), "pem with spaces around": f"\n {sendgrid.pem()} \n", "wrapped": wrapped}
    settings.SENDGRID_WEBHOOK_KEY = shapes[shape]
    assert webhook.verify_and_parse(sendgrid.posted(BODY)).events


def shown(key):
    der = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return der.decode()


@pytest.mark.parametrize(
    "key",
    [
        "",
        "not base64!",
        "AAAA",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        shown(rsa.generate_private_key(65537, 2048)),
        shown(ec.generate_private_key(ec.SECP384R1())),
    ],
)
def test_unusable_key_cannot_verify(settings, sendgrid, key):
    settings.SENDGRID_WEBHOOK_KEY = key
    error = refused(sendgrid.posted(BODY), CannotVerifyError)
    assert "SENDGRID_WEBHOOK_KEY" in str(error)


def test_missing_key_is_named(settings):
    settings.SENDGRID_WEBHOOK_KEY = ""
    assert webhook.missing_settings() == ["SENDGRID_WEBHOOK_KEY"]


@pytest.mark.parametrize("missing", [SIGNATURE, TIMESTAMP])
@pytest.mark.parametrize("value", [None, "", " ", "x", "ключ", "-1", "1e9", "٣", "9" * 400])
def test_unsigned_batch_is_refused(sendgrid, missing, value):
    posted = sendgrid.posted(BODY)
    headers = {name: text for name, text in posted.headers.items() if name != missing or value is not None}
    refused(WebhookRequest(BODY, {**headers, missing: value} if value is not None else headers))


def test_signature_of_another_key_is_refused():
    refused(SendGrid().posted(BODY))


def test_signature_of_another_body_is_refused(sendgrid):
    refused(WebhookRequest(BODY, sendgrid.posted(BODY + b" ").headers))


@pytest.mark.parametrize("at", range(0, len(BODY), 7))
def test_one_byte_changed_is_refused(sendgrid, at):
    changed = bytearray(BODY)
    changed[at] ^= 1
    refused(WebhookRequest(bytes(changed), sendgrid.posted(BODY).headers))


def test_changed_timestamp_is_refused(sendgrid):
    refused(WebhookRequest(BODY, {**sendgrid.posted(BODY).headers, TIMESTAMP: str(int(time.time()) - 1)}))


@pytest.mark.parametrize("age_s", [49 * 3600, 365 * 86400])
def test_old_batch_is_refused(sendgrid, age_s):
    refused(sendgrid.posted(BODY, timestamp=str(int(time.time()) - age_s)))


@pytest.mark.parametrize("age_s", [-16 * 60, -86400])
def test_batch_from_the_future_cannot_be_verified_yet(sendgrid, age_s):
    with pytest.raises(CannotVerifyError):
        webhook.verify_and_parse(sendgrid.posted(BODY, timestamp=str(int(time.time()) - age_s)))


@pytest.mark.parametrize("age_s", [25 * 3600, -14 * 60])
def test_old_batch_within_the_retry_time_is_accepted(sendgrid, age_s):
    assert webhook.verify_and_parse(sendgrid.posted(BODY, timestamp=str(int(time.time()) - age_s))).events


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"null", b"7", b'"x"', b"\xff\xfe", b"[" * 100_000, b"[1,]"])
def test_body_without_a_batch_is_malformed(sendgrid, body):
    refused(sendgrid.posted(body), MalformedError)


def test_empty_batch_has_no_events(sendgrid):
    assert webhook.verify_and_parse(sendgrid.posted(b"[]")).events == []


def test_malformed_element_does_not_block_the_others(sendgrid):
    deep = '{"a":' * 200 + "1" + "}" * 200
    body = f'[7, null, "x", [], {{}}, NaN, {deep}, {json.dumps(DELIVERED)}, {{"event": "new\\u0000\\ud800"}}]'
    events = webhook.verify_and_parse(sendgrid.posted(body.encode())).events
    assert len(events) == 9
    assert events[7].payload == DELIVERED
    for event in events[:7] + events[8:]:
        assert len(event.event_id) == 64
        with pytest.raises(UnknownEventError):
            webhook.interpret(event.payload)
    assert events[8].payload == {"event": "new\ufffd\ufffd"}


def test_opens_and_clicks_are_left_out_of_a_batch(sendgrid):
    batch = [{"event": "click", "url": "https://x/a-token"}, DELIVERED, {"event": "open"}]
    (event,) = webhook.verify_and_parse(sendgrid.posted(json.dumps(batch).encode())).events
    assert event.payload == DELIVERED


def test_link_that_unsubscribed_is_not_kept(sendgrid):
    said = {"event": "group_unsubscribe", "sg_event_id": "one", "url": "https://mail.example.com/u/a-token"}
    (event,) = webhook.verify_and_parse(sendgrid.posted(json.dumps([said]).encode())).events
    assert event.payload == {"event": "group_unsubscribe", "sg_event_id": "one"}


@pytest.mark.parametrize("event_id", [None, "", 7, [], "x" * 201, "with space", "é", "\x00"])
def test_event_without_a_usable_id_gets_a_fingerprint(sendgrid, event_id):
    said = {**DELIVERED, "sg_event_id": event_id}
    again = dict(reversed(said.items()))
    other = {**said, "timestamp": 1}
    ids = [
        one.event_id
        for one in webhook.verify_and_parse(sendgrid.posted(json.dumps([said, again, other]).encode())).events
    ]
    assert ids[0] == ids[1] != ids[2]
    assert len(ids[0]) == 64


def test_change_of_the_account_is_noted(sendgrid):
    batch = [DELIVERED, {"event": "account_status_change", "type": "compliance_suspend"}]
    opened = webhook.verify_and_parse(sendgrid.posted(json.dumps(batch).encode()))
    assert "compliance_suspend" in opened.note.split()
    assert len(opened.events) == 2
    assert webhook.interpret(opened.events[1].payload) is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"type": "bounce", "status": "4.2.2"}, BounceKind.SOFT),
        ({"type": "blocked", "status": "5.1.1", "bounce_classification": "Invalid Address"}, BounceKind.HARD),
        ({"type": "Blocked"}, BounceKind.SOFT),
        ({"type": "expired"}, BounceKind.SOFT),
        ({"type": ["bounce"]}, BounceKind.SOFT),
        ({"status": "5.1.10"}, BounceKind.HARD),
        ({"status": "5.2.1"}, BounceKind.HARD),
        ({"status": "4.1.1"}, BounceKind.SOFT),
        ({}, BounceKind.SOFT),
    ],
)
def test_bounce_is_hard_if_sendgrid_or_the_status_is_clear(said, expected):
    assert webhook.interpret({"event": "bounce", "email": "ada@example.com", **said}).bounce is expected


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"event": "something_new", "email": "ada@example.com"},
        {"event": ["delivered"], "email": "ada@example.com"},
        {"event": "delivered"},
        {"event": "delivered", "email": None},
        {"event": "delivered", "email": "not an email address"},
    ],
)
def test_event_of_an_unknown_type_is_unknown(payload):
    with pytest.raises(UnknownEventError):
        webhook.interpret(payload)


@pytest.mark.parametrize("timestamp", [None, "soon", True, 1e400, -1e400, 1e18, [], {}])
def test_invalid_time_is_unknown(timestamp):
    assert webhook.interpret({**DELIVERED, "timestamp": timestamp}).occurred_at is None


class TestSimulator:
    def test_simulators_key_is_accepted(self, settings, sendgrid):
        settings.SENDGRID_WEBHOOK_KEY = ""
        settings.SIMULATOR_WEBHOOK_KEY = sendgrid.shown_key()
        assert SimulatorWebhook().missing_settings() == []
        (event,) = SimulatorWebhook().verify_and_parse(sendgrid.posted(BODY)).events
        assert SimulatorWebhook().interpret(event.payload).kind == "delivered"

    def test_sendgrids_key_is_refused(self, settings, sendgrid):
        settings.SIMULATOR_WEBHOOK_KEY = SendGrid().shown_key()
        with pytest.raises(InvalidSignatureError):
            SimulatorWebhook().verify_and_parse(sendgrid.posted(BODY))

    def test_missing_key_is_named(self):
        assert SimulatorWebhook().missing_settings() == ["SIMULATOR_WEBHOOK_KEY"]
