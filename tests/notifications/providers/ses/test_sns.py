"""Messages of Amazon SNS: which are accepted, and which cause requests."""

import json
from datetime import timedelta

import pytest

from notifications.providers.base.webhook import CannotVerifyError, MalformedError, WebhookRequest
from notifications.providers.ses.webhook import SesWebhook
from tests.notifications.providers.base import signing
from tests.notifications.providers.base.refusals import refused
from tests.notifications.providers.base.signing import EVENT, TOPIC, as_posted

ses = SesWebhook()


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "Amazon SES Email Event Notification"}])
def test_signed_notification_is_accepted(amazon, sns, version, subject):
    (event,) = ses.verify_and_parse(as_posted(sns.notification(EVENT, SignatureVersion=version, **subject))).events
    assert event.event_id == "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"
    assert event.payload["eventType"] == "Send"


def test_null_subject_counts_as_missing(amazon, sns):
    assert ses.verify_and_parse(as_posted({**sns.notification(EVENT), "Subject": None})).events


@pytest.mark.parametrize("name", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"])
def test_one_byte_changed_in_a_signed_field_is_refused(amazon, sns, name):
    message = sns.notification(EVENT, Subject="A subject")
    message[name] = message[name][:-2] + ("1" if message[name][-2] == "0" else "0") + message[name][-1]
    refused(message)


@pytest.mark.parametrize(
    "name", ["Message", "MessageId", "Timestamp", "TopicArn", "Type", "Signature", "SignatureVersion", "SigningCertURL"]
)
@pytest.mark.parametrize("value", [None, "", "x", 7, True, [], {}, ["a"], "a\nb", "\ud800", "\x00"])
def test_field_of_the_wrong_type_or_shape_is_refused(amazon, sns, name, value):
    refused({**sns.notification(EVENT), name: value})
    message = sns.notification(EVENT)
    del message[name]
    refused(message)


@pytest.mark.parametrize(
    "changes",
    [
        {"Subject": "Message", "Message": "x"},
        {"Subject": ""},
        {"Subject": ["a"]},
        {"Signature": "AAAA"},
        {"Signature": "not base64!"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": "1"},
        {"Type": "Other"},
        {"Type": "SubscriptionConfirmation"},
        {"Type": "UnsubscribeConfirmation"},
    ],
)
def test_message_with_other_fields_is_refused(amazon, sns, changes):
    refused({**sns.notification(EVENT), **changes})


def test_text_moved_between_fields_is_refused(amazon, sns):
    genuine = sns.notification("A\nMessageId\nB", MessageId="C")
    ses_would_read = {**genuine, "Message": "A", "MessageId": "B\nMessageId\nC"}
    refused(ses_would_read)
    assert amazon.asked == []


def test_signature_of_another_key_is_refused(amazon, other_signer):
    refused(other_signer.notification(EVENT))


def test_signature_of_another_message_is_refused(amazon, sns):
    refused({**sns.notification(EVENT), "Signature": sns.notification({"eventType": "Bounce"})["Signature"]})


@pytest.mark.parametrize(
    "topic",
    [
        "arn:aws:sns:eu-central-1:999999999999:ses-events",
        "arn:aws:sns:eu-central-1:123456789012:ses-events2",
        "arn:aws:sns:eu-central-1:123456789012:SES-events",
        "arn:aws:sns:us-east-1:123456789012:ses-events",
        f"{TOPIC}\n",
        "*",
    ],
)
def test_foreign_topic_is_refused_before_any_request(amazon, sns, topic):
    refused(sns.notification(EVENT, TopicArn=topic))
    refused(sns.confirmation(TopicArn=topic))
    assert amazon.dialled == []


@pytest.mark.parametrize("offset", [timedelta(hours=-49), timedelta(days=-365)])
def test_old_message_is_refused_before_any_request(amazon, sns, offset):
    refused(sns.notification(EVENT, Timestamp=signing.now(offset)))
    assert amazon.dialled == []


@pytest.mark.parametrize("offset", [timedelta(minutes=16), timedelta(days=1)])
def test_message_from_the_future_cannot_be_verified_yet(amazon, sns, offset):
    refused(sns.notification(EVENT, Timestamp=signing.now(offset)), CannotVerifyError)
    assert amazon.dialled == []


@pytest.mark.parametrize("offset", [timedelta(hours=-47), timedelta(minutes=14)])
def test_old_message_within_the_retry_time_is_accepted(amazon, sns, offset):
    assert ses.verify_and_parse(as_posted(sns.notification(EVENT, Timestamp=signing.now(offset)))).events


@pytest.mark.parametrize("timestamp", ["2026-13-45T99:99:99Z", "yesterday", "2026-11-20", "2026-11-20T09:00:00+00:00"])
def test_invalid_time_is_refused(amazon, sns, timestamp):
    refused(sns.notification(EVENT, Timestamp=timestamp))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b"\x00"])
def test_body_without_json_is_malformed(amazon, body):
    refused(WebhookRequest(body, {}), MalformedError)


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"x"', b"{}", b"NaN", json.dumps(EVENT).encode()])
def test_body_without_an_sns_message_is_refused(amazon, body):
    error = refused(WebhookRequest(body, {"x-amz-sns-rawdelivery": "true"}))
    assert "raw message delivery" in str(error)


@pytest.mark.parametrize("message", ["", "words", "[]", "7", "null", "[" * 100_000, '{"a":' * 100_000])
def test_genuine_message_without_an_event_is_malformed(amazon, sns, message):
    refused(sns.notification(message), MalformedError)


def test_no_message_is_accepted_before_a_topic_is_set(amazon, sns, settings):
    settings.SES_WEBHOOK_TOPICS = []
    assert ses.missing_settings() == ["SES_WEBHOOK_TOPICS"]
    refused(sns.notification(EVENT), CannotVerifyError)
