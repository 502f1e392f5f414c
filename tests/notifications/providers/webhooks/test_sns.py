"""Messages of Amazon SNS: which are believed, and who is asked for what before."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from notifications.providers.feedback import ForgedError, MalformedError, Posted, UnprovenError
from notifications.providers.webhooks import SesWebhook, certificates, fetching
from notifications.providers.webhooks.ses import TOPIC_VALIDATED
from tests.notifications.providers.webhooks import signing
from tests.notifications.providers.webhooks.signing import CERTIFICATE_PATH, HOST, TOPIC, as_posted, certificate

EVENT = {"eventType": "Send", "mail": {"messageId": "1", "destination": ["ada@example.com"]}, "send": {}}
ses = SesWebhook()


def refused(message, error=ForgedError):
    with pytest.raises(error) as refusal:
        ses.open(message if isinstance(message, Posted) else as_posted(message))
    return refusal.value


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "Amazon SES Email Event Notification"}])
def test_signed_notification_is_opened(amazon, sns, version, subject):
    (event,) = ses.open(as_posted(sns.notification(EVENT, SignatureVersion=version, **subject))).events
    assert event.event_id == "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"
    assert event.payload["eventType"] == "Send"


def test_subject_of_null_is_none(amazon, sns):
    assert ses.open(as_posted({**sns.notification(EVENT), "Subject": None})).events


def test_certificate_is_fetched_once(amazon, sns):
    for _ in range(3):
        ses.open(as_posted(sns.notification(EVENT)))
    assert amazon.asked == [CERTIFICATE_PATH]
    assert amazon.dialled == [(HOST, 443)]


def test_certificates_kept_are_few(amazon, sns):
    for number in range(20):
        path = f"/SimpleNotificationService-{number:032x}.pem"
        amazon.answers[path] = amazon.answers[CERTIFICATE_PATH]
        ses.open(as_posted(sns.notification(EVENT, SigningCertURL=f"https://{HOST}{path}")))
    assert len(certificates._kept) == certificates.MOST_KEPT


def test_topic_of_china_is_asked_for_in_china(amazon, sns, settings):
    topic = "arn:aws-cn:sns:cn-north-1:123456789012:ses-events"
    settings.SES_WEBHOOK_TOPICS = [topic]
    url = f"https://sns.cn-north-1.amazonaws.com.cn{CERTIFICATE_PATH}"
    refused(sns.notification(EVENT, TopicArn=topic, SigningCertURL=url), UnprovenError)  # another host's TLS name
    assert amazon.dialled == [("sns.cn-north-1.amazonaws.com.cn", 443)]


@pytest.mark.parametrize("name", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"])
def test_one_byte_changed_in_a_signed_field_is_refused(amazon, sns, name):
    message = sns.notification(EVENT, Subject="A subject")
    message[name] = message[name][:-2] + ("1" if message[name][-2] == "0" else "0") + message[name][-1]
    refused(message)


@pytest.mark.parametrize("name", ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"])
def test_one_byte_changed_in_a_confirmation_is_refused(amazon, sns, name):
    message = sns.confirmation()
    message[name] = message[name][:-2] + ("1" if message[name][-2] == "0" else "0") + message[name][-1]
    refused(message)
    assert signing.SUBSCRIBE_PATH not in amazon.asked


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
def test_message_that_is_not_the_signed_one_is_refused(amazon, sns, changes):
    refused({**sns.notification(EVENT), **changes})


def test_words_moved_between_fields_are_refused_although_the_signed_text_is_the_same(amazon, sns):
    genuine = sns.notification("A\nMessageId\nB", MessageId="C")
    ses_would_read = {**genuine, "Message": "A", "MessageId": "B\nMessageId\nC"}
    refused(ses_would_read)
    assert amazon.asked == []


def test_key_of_somebody_else_is_refused(amazon, stranger):
    refused(stranger.notification(EVENT))


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
def test_foreign_topic_is_refused_before_anybody_is_asked(amazon, sns, topic):
    refused(sns.notification(EVENT, TopicArn=topic))
    refused(sns.confirmation(TopicArn=topic))
    assert amazon.dialled == []


@pytest.mark.parametrize(
    "offset", [timedelta(hours=-49), timedelta(days=-365), timedelta(minutes=16), timedelta(days=1)]
)
def test_old_or_future_message_is_refused_before_anybody_is_asked(amazon, sns, offset):
    refused(sns.notification(EVENT, Timestamp=signing.now(offset)))
    assert amazon.dialled == []


@pytest.mark.parametrize("offset", [timedelta(hours=-47), timedelta(minutes=14)])
def test_message_that_may_be_a_retry_is_opened(amazon, sns, offset):
    assert ses.open(as_posted(sns.notification(EVENT, Timestamp=signing.now(offset)))).events


@pytest.mark.parametrize("timestamp", ["2026-13-45T99:99:99Z", "yesterday", "2026-11-20", "2026-11-20T09:00:00+00:00"])
def test_time_that_is_none_is_refused(amazon, sns, timestamp):
    refused(sns.notification(EVENT, Timestamp=timestamp))


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}{CERTIFICATE_PATH}",
        f"HTTPS://{HOST}{CERTIFICATE_PATH}",
        f"https://{HOST.upper()}{CERTIFICATE_PATH}",
        f"https://{HOST}:443{CERTIFICATE_PATH}",
        f"https://{HOST}:8443{CERTIFICATE_PATH}",
        f"https://{HOST}.{CERTIFICATE_PATH}",
        f"https://{HOST}.evil.example{CERTIFICATE_PATH}",
        f"https://evil.example/{HOST}{CERTIFICATE_PATH}",
        f"https://evil.example/?{HOST}{CERTIFICATE_PATH}",
        f"https://evil.example#{HOST}{CERTIFICATE_PATH}",
        f"https://evil.example\\@{HOST}{CERTIFICATE_PATH}",
        f"https://user@{HOST}{CERTIFICATE_PATH}",
        f"https://user:password@{HOST}{CERTIFICATE_PATH}",
        f"https://{HOST}@evil.example{CERTIFICATE_PATH}",
        f"https://evil.example/@{HOST}{CERTIFICATE_PATH}",
        f"https://x{HOST}{CERTIFICATE_PATH}",
        f"https://x.{HOST}{CERTIFICATE_PATH}",
        f"https://snsXeu-central-1.amazonaws.com{CERTIFICATE_PATH}",
        f"https://sns.eu-central-1.amazonaws.com.evil{CERTIFICATE_PATH}",
        f"https://sns.eu-central-1.amazonaws.com.cn.evil{CERTIFICATE_PATH}",
        f"https://sns.eu-central-1.amazonaws.cn{CERTIFICATE_PATH}",
        f"https://sns.eu-central-1.amazonawsXcom{CERTIFICATE_PATH}",
        f"https://sns.eu-central-1.s3.amazonaws.com{CERTIFICATE_PATH}",
        f"https://s3.eu-central-1.amazonaws.com/bucket{CERTIFICATE_PATH}",
        f"https://sns.us-east-1.amazonaws.com{CERTIFICATE_PATH}",
        f"https://sns..amazonaws.com{CERTIFICATE_PATH}",
        f"https://sns.eu-central-1.ämazonaws.com{CERTIFICATE_PATH}",
        f"https://sns.eu-centrаl-1.amazonaws.com{CERTIFICATE_PATH}",
        f"https://xn--sns-abc.eu-central-1.amazonaws.com{CERTIFICATE_PATH}",
        f"https://{HOST}{CERTIFICATE_PATH}?x=1",
        f"https://{HOST}{CERTIFICATE_PATH}#x",
        f"https://{HOST}{CERTIFICATE_PATH}\n",
        f" https://{HOST}{CERTIFICATE_PATH}",
        f"https://{HOST}/evil.pem",
        f"https://{HOST}/x{CERTIFICATE_PATH}",
        f"https://{HOST}/..{CERTIFICATE_PATH}",
        f"https://{HOST}/SimpleNotificationService-..%2fevil.pem",
        f"https://{HOST}/SimpleNotificationService-.pem",
        f"https://{HOST}/SimpleNotificationService-0123.pem.exe",
        f"https://{HOST}/SimpleNotificationService-xyz.pem",
        f"https://{HOST}/",
        "file:///etc/passwd",
        "//evil.example",
        "",
    ],
)
def test_certificate_from_elsewhere_is_refused_before_anybody_is_asked(amazon, sns, url):
    refused(sns.notification(EVENT, SigningCertURL=url))
    assert amazon.dialled == []


@pytest.mark.parametrize("validity", [{"ends": timedelta(seconds=-1)}, {"starts": timedelta(days=1)}])
def test_certificate_out_of_its_time_is_refused(amazon, sns, validity):
    amazon.answers[CERTIFICATE_PATH] = (200, {}, certificate(sns.key, **validity))
    refused(sns.notification(EVENT))


def test_kept_certificate_is_refused_once_it_has_expired(amazon, sns, time_machine):
    ses.open(as_posted(sns.notification(EVENT)))
    time_machine.move_to(datetime.now(UTC) + timedelta(days=301))
    refused(sns.notification(EVENT))


@pytest.mark.parametrize(
    "answer",
    [
        (404, {}, b""),
        (403, {}, b"<Error/>"),
        (204, {}, b""),
        (301, {"Location": f"https://{HOST}/elsewhere.pem"}, b""),
        (302, {"Location": "https://evil.example/cert.pem"}, b""),
        (200, {}, b""),
        (200, {}, b"<html>a page</html>"),
        (200, {}, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        (200, {}, b"\x00" * 1000),
    ],
)
def test_no_certificate_where_the_message_says_is_refused(amazon, sns, answer):
    amazon.answers[CERTIFICATE_PATH] = answer
    refused(sns.notification(EVENT))
    assert amazon.asked == [CERTIFICATE_PATH]


def test_huge_certificate_is_refused_without_reading_all_of_it(amazon, sns):
    amazon.answers[CERTIFICATE_PATH] = (200, {}, certificate(sns.key, extra=fetching.LARGEST))
    refused(sns.notification(EVENT))


def test_answer_without_end_is_refused(amazon, sns):
    def pour(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)

    amazon.answers[CERTIFICATE_PATH] = pour
    refused(sns.notification(EVENT))


SHORT_KEY = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that it is weak is the point
CURVE_KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize("key", [SHORT_KEY, CURVE_KEY], ids=["short", "curve"])
def test_certificate_with_a_key_amazon_does_not_use_is_refused(amazon, sns, key):
    amazon.answers[CERTIFICATE_PATH] = (200, {}, certificate(key))
    refused(sns.notification(EVENT))


def hang(handler):
    time.sleep(1)


def drip(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"x")
        time.sleep(0.02)


def cut(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"-----BEGIN")
    handler.connection.close()


@pytest.mark.parametrize("answer", [(500, {}, b""), (503, {}, b""), (429, {}, b""), hang, drip, cut])
def test_trouble_at_amazon_is_no_verdict(amazon, sns, monkeypatch, answer):
    monkeypatch.setattr(fetching, "TIMEOUTS_S", (0.5, 0.5))
    monkeypatch.setattr(fetching, "WHOLE_ANSWER_S", 0.3)
    good, amazon.answers[CERTIFICATE_PATH] = amazon.answers[CERTIFICATE_PATH], answer
    error = refused(sns.notification(EVENT), UnprovenError)
    assert error.__context__ is None
    amazon.answers[CERTIFICATE_PATH] = good
    assert ses.open(as_posted(sns.notification(EVENT))).events


def test_refused_connection_is_no_verdict(amazon, sns):
    amazon.port = 1
    refused(sns.notification(EVENT), UnprovenError)


def test_host_with_a_certificate_nobody_trusts_is_not_asked(amazon, sns, monkeypatch, tmp_path):
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "other.pem"))
    refused(sns.notification(EVENT), UnprovenError)
    assert amazon.asked == []


def test_environment_names_no_proxy(amazon, sns, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    assert ses.open(as_posted(sns.notification(EVENT))).events


def test_certificates_are_fetched_one_at_a_time(amazon, sns, monkeypatch):
    monkeypatch.setattr(certificates, "WAIT_FOR_ANOTHER_S", 0.01)
    with certificates._fetching:
        refused(sns.notification(EVENT), UnprovenError)
    assert amazon.dialled == []
    assert ses.open(as_posted(sns.notification(EVENT))).events


@pytest.mark.parametrize("version", ["1", "2"])
def test_subscription_to_our_topic_is_confirmed(amazon, sns, version):
    opened = ses.open(as_posted(sns.confirmation(SignatureVersion=version)))
    assert opened.events == []
    assert opened.note == f"confirmed the subscription to {TOPIC}"
    assert amazon.asked == [CERTIFICATE_PATH, signing.SUBSCRIBE_PATH]


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}{signing.SUBSCRIBE_PATH}",
        f"https://{HOST}.evil.example{signing.SUBSCRIBE_PATH}",
        f"https://user@{HOST}{signing.SUBSCRIBE_PATH}",
        f"https://{HOST}:444{signing.SUBSCRIBE_PATH}",
        f"https://sns.us-east-1.amazonaws.com{signing.SUBSCRIBE_PATH}",
        f"https://{HOST}/?Action=DeleteTopic&TopicArn={TOPIC}",
        f"https://{HOST}/?X=1&Action=ConfirmSubscription&TopicArn={TOPIC}",
        f"https://{HOST}/other?Action=ConfirmSubscription&TopicArn={TOPIC}",
        "file:///etc/passwd",
    ],
)
def test_subscription_is_confirmed_at_amazon_only(amazon, sns, url):
    refused(sns.confirmation(SubscribeURL=url))
    assert amazon.asked == [CERTIFICATE_PATH]


@pytest.mark.parametrize(
    "answer", [(500, {}, b""), (400, {}, b""), (301, {"Location": f"https://{HOST}/x"}, b""), hang, cut]
)
def test_subscription_that_is_not_confirmed_comes_again(amazon, sns, monkeypatch, answer):
    monkeypatch.setattr(fetching, "TIMEOUTS_S", (0.5, 0.5))
    amazon.answers[signing.SUBSCRIBE_PATH] = answer
    error = refused(sns.confirmation(), UnprovenError)
    assert error.__context__ is None
    assert signing.TOKEN not in repr(error)
    assert amazon.asked == [CERTIFICATE_PATH, signing.SUBSCRIBE_PATH]


def test_forged_subscription_is_not_confirmed(amazon, stranger):
    refused(stranger.confirmation())
    assert amazon.asked == [CERTIFICATE_PATH]


def test_end_of_a_subscription_is_noted_and_not_followed(amazon, sns):
    opened = ses.open(as_posted(sns.confirmation("UnsubscribeConfirmation")))
    assert opened.events == []
    assert TOPIC in opened.note
    assert amazon.asked == [CERTIFICATE_PATH]


def test_validation_of_the_topic_is_noted(amazon, sns):
    opened = ses.open(as_posted(sns.notification(TOPIC_VALIDATED)))
    assert opened.events == []
    assert TOPIC in opened.note


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b"\x00"])
def test_body_that_is_no_json_is_malformed(amazon, body):
    refused(Posted(body, {}), MalformedError)


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"x"', b"{}", b"NaN", json.dumps(EVENT).encode()])
def test_body_that_is_no_sns_message_is_refused(amazon, body):
    error = refused(Posted(body, {"x-amz-sns-rawdelivery": "true"}))
    assert "raw message delivery" in str(error)


@pytest.mark.parametrize("message", ["", "words", "[]", "7", "null", "[" * 100_000, '{"a":' * 100_000])
def test_genuine_message_that_is_no_event_is_malformed(amazon, sns, message):
    refused(sns.notification(message), MalformedError)


def test_nothing_is_opened_before_a_topic_is_set(amazon, sns, settings):
    settings.SES_WEBHOOK_TOPICS = []
    assert ses.missing_settings() == ["SES_WEBHOOK_TOPICS"]
    refused(sns.notification(EVENT), UnprovenError)


class TestLocalSigner:
    @pytest.fixture
    def local(self, amazon, settings, tmp_path, stranger):
        path = tmp_path / "local.pem"
        path.write_bytes(certificate(stranger.key))
        settings.SNS_CERTIFICATE_FILE = str(path)
        settings.LOCAL = True
        return path

    def test_its_certificate_is_used_on_a_developers_machine(self, local, amazon, stranger):
        assert ses.open(as_posted(stranger.notification(EVENT))).events
        assert amazon.dialled == []

    def test_amazons_is_not(self, local, sns):
        refused(sns.notification(EVENT))

    def test_it_is_ignored_where_real_people_get_mail(self, local, settings, sns, stranger):
        settings.LOCAL = False
        refused(stranger.notification(EVENT))
        assert ses.open(as_posted(sns.notification(EVENT))).events

    def test_topic_is_still_asked_for(self, local, stranger):
        refused(stranger.notification(EVENT, TopicArn="arn:aws:sns:eu-central-1:123456789012:other"))

    def test_missing_file_is_no_verdict(self, local, stranger):
        local.unlink()
        refused(stranger.notification(EVENT), UnprovenError)
