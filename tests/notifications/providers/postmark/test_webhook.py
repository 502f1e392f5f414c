"""Postmark's webhooks: the password, and events without an id."""

import json

import pytest

from notifications.providers.base.webhook import (
    CannotVerifyError,
    InvalidSignatureError,
    MalformedError,
    UnknownEventError,
    WebhookRequest,
)
from notifications.providers.postmark.webhook import PostmarkWebhook
from tests.notifications.providers.base.signing import basic_auth

AUTH = "postmark:pass:wörd"
DELIVERY = {"RecordType": "Delivery", "MessageID": "1", "Recipient": "ada@example.com", "DeliveredAt": "2026-11-20"}
webhook = PostmarkWebhook()


@pytest.fixture(autouse=True)
def _password(settings):
    settings.POSTMARK_WEBHOOK_AUTH = AUTH


def posted(said, headers=None):
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return WebhookRequest(body, basic_auth(AUTH) if headers is None else headers)


def test_right_password_is_accepted():
    (event,) = webhook.verify_and_parse(posted(DELIVERY)).events
    assert event.payload == DELIVERY


@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_header_may_be_written_in_any_case(name, scheme):
    value = basic_auth(AUTH)["Authorization"].replace("Basic", scheme)
    assert webhook.verify_and_parse(posted(DELIVERY, {name: value})).events


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!!"},
        {"Authorization": "Basic ключ"},
        {"Authorization": basic_auth(AUTH)["Authorization"].replace("Basic", "Bearer")},
        {"Authorization": f"Basic {AUTH.encode('ascii', 'replace').decode()}"},
        basic_auth("postmark:"),
        basic_auth(":pass:wörd"),
        basic_auth("postmark:pass:wörd "),
        basic_auth("Postmark:pass:wörd"),
        basic_auth("postmark:pass"),
        basic_auth(""),
    ],
)
def test_wrong_or_missing_password_is_refused(headers):
    with pytest.raises(InvalidSignatureError):
        webhook.verify_and_parse(posted(DELIVERY, headers))


@pytest.mark.parametrize("auth", ["", "postmark", "postmark:", ":password", ":"])
def test_empty_password_cannot_verify(settings, auth):
    settings.POSTMARK_WEBHOOK_AUTH = auth
    assert webhook.missing_settings() == ["POSTMARK_WEBHOOK_AUTH"]
    with pytest.raises(CannotVerifyError):
        webhook.verify_and_parse(posted(DELIVERY, basic_auth(auth)))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b"\xff\xfe", b'{"a":' * 100_000])
def test_body_that_is_not_an_event_is_malformed(body):
    with pytest.raises(MalformedError):
        webhook.verify_and_parse(posted(body))


def test_only_a_repeated_event_has_the_same_id():
    def event_id(said):
        return webhook.verify_and_parse(posted(said)).events[0].event_id

    first = event_id(DELIVERY)
    assert event_id(dict(reversed(DELIVERY.items()))) == first
    assert event_id({**DELIVERY, "DeliveredAt": "2026-11-21"}) != first
    assert event_id({**DELIVERY, "Content": "another email"}) != first


def test_content_of_the_email_is_not_kept():
    bounce = {"RecordType": "Bounce", "Type": "SoftBounce", "Subject": "Your password", "Content": "https://x/a-token"}
    (event,) = webhook.verify_and_parse(posted(bounce)).events
    assert event.payload == {"RecordType": "Bounce", "Type": "SoftBounce"}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"RecordType": "Inbound"},
        {"RecordType": ["Delivery"]},
        {"RecordType": "Delivery"},
        {"RecordType": "Delivery", "Recipient": {}},
        {"RecordType": "Bounce", "Email": "ada@example.com"},
        {"RecordType": "Bounce", "Email": "ada@example.com", "Type": "SomethingNew"},
        {"RecordType": "SubscriptionChange", "SuppressSending": True, "Recipient": "ada@example.com"},
        {"RecordType": "SubscriptionChange", "SuppressSending": True, "SuppressionReason": "New"},
    ],
)
def test_event_of_an_unknown_type_is_unknown(payload):
    with pytest.raises(UnknownEventError):
        webhook.interpret(payload)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"Type": "HardBounce", "BouncedAt": "2026-01-02T03:04:05Z"}, "bounced"),
        ({"Type": "SpamComplaint", "BouncedAt": "2026-01-02T03:04:05Z"}, "complained"),
        ({"DeliveredAt": "2026-01-02T03:04:05Z", "Details": "250 OK"}, "delivered"),
        ({"SuppressSending": True, "SuppressionReason": "HardBounce", "ChangedAt": "2026-01-02"}, "bounced"),
    ],
)
def test_event_without_a_type_is_recognized_by_its_fields(fields, kind):
    (event,) = webhook.verify_and_parse(posted({"Recipient": "ada@example.com", **fields})).events
    assert webhook.interpret(event.payload).kind == kind


@pytest.mark.parametrize(
    "fields",
    [
        {"FirstOpen": True, "ReadSeconds": 5},
        {"OriginalLink": "https://example.com/reset/a-token", "ClickLocation": "HTML"},
        {"FromFull": {"Email": "eve@example.com"}, "TextBody": "a letter", "MessageID": "1"},
        {"RecordType": "Inbound", "TextBody": "a letter"},
    ],
)
def test_open_click_and_inbound_email_without_a_type_are_not_kept(fields):
    assert webhook.verify_and_parse(posted({"Recipient": "ada@example.com", **fields})).events == []
