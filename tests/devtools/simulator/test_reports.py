"""The providers' reports, parsed by Anymail, and their signatures, verified by cryptography."""

import base64
import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from anymail.webhooks.amazon_ses import AmazonSESTrackingWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from anymail.webhooks.sendgrid import SendGridTrackingWebhookView
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from devtools.simulator.journal import Entry
from devtools.simulator.outcomes import Event
from devtools.simulator.reports.base import Happening
from devtools.simulator.reports.postmark import PostmarkReports
from devtools.simulator.reports.sendgrid import SendGridReports
from devtools.simulator.reports.ses import TOPIC, SesReports
from devtools.simulator.signing import certificate_file, kept_keys

METADATA = {"mailroom_message_id": "6c1d7e52-0000-4000-8000-000000000001", "mailroom_attempt": "2"}
AT = datetime(2026, 11, 24, 8, 0, 0, 123000, tzinfo=UTC)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return kept_keys(tmp_path_factory.mktemp("keys"))


def happening(event, provider="ses"):
    entry = Entry(
        provider=provider,
        provider_message_id="0100-abc",
        to="ada@example.com",
        sender="Shop <shop@example.com>",
        subject="Grüße",
        headers={"X-Metadata": json.dumps(METADATA)},
        metadata=METADATA,
        tags=METADATA,
        accepted_at="2026-11-24T08:00:00.000000+00:00",
        seq=1,
    )
    return Happening(entry=entry, event=event, event_id=str(uuid4()), at=AT)


def read_sendgrid(reports, event):
    said = reports.event(happening(event, "sendgrid"))
    if said is None:
        return None
    # Only the mapping is used, because the view warns that Anymail no longer supports SendGrid.
    return SendGridTrackingWebhookView.esp_to_anymail_event(
        SendGridTrackingWebhookView.__new__(SendGridTrackingWebhookView), said
    )


def read_postmark(reports, event):
    said = reports.event(happening(event, "postmark"))
    return None if said is None else PostmarkTrackingWebhookView(webhook_secret="a:b").esp_to_anymail_event(said)


def read_ses(reports, event):
    said = reports.event(happening(event))
    view = AmazonSESTrackingWebhookView(webhook_secret="a:b")
    (read,) = view.esp_to_anymail_events(json.loads(said["Message"]), said)
    return read


@pytest.mark.parametrize(
    ("event", "type_"),
    [
        (Event.ACCEPTED, "queued"),
        (Event.DEFERRED, "deferred"),
        (Event.DELIVERED, "delivered"),
        (Event.BOUNCED, "bounced"),
        (Event.SOFT_BOUNCED, "bounced"),
        (Event.COMPLAINED, "complained"),
        (Event.AUTO_REPLIED, None),
        (Event.SUPPRESSED, "rejected"),
    ],
)
def test_sendgrids_events_read_as_anymail_reads_them(keys, event, type_):
    read = read_sendgrid(SendGridReports(keys), event)
    assert (read.event_type if read else None) == type_
    if read:
        assert (read.recipient, read.timestamp) == ("ada@example.com", AT.replace(microsecond=0))
        assert METADATA.items() <= read.metadata.items()
        assert read.esp_event["sg_message_id"].startswith("0100-abc.")


@pytest.mark.parametrize(
    ("event", "type_", "description"),
    [
        (Event.ACCEPTED, None, None),
        (Event.DEFERRED, "deferred", None),
        (Event.DELIVERED, "delivered", None),
        (Event.BOUNCED, "bounced", "HardBounce"),
        (Event.SOFT_BOUNCED, "bounced", "SoftBounce"),
        (Event.COMPLAINED, "complained", "SpamComplaint"),
        (Event.AUTO_REPLIED, "autoresponded", "AutoResponder"),
        (Event.SUPPRESSED, None, None),
    ],
)
def test_postmarks_events_read_as_anymail_reads_them(event, type_, description):
    read = read_postmark(PostmarkReports(""), event)
    assert (read.event_type if read else None) == type_
    if read:
        assert (read.recipient, read.message_id, read.metadata) == ("ada@example.com", "0100-abc", METADATA)
        assert description in {None, read.esp_event.get("Type")}


@pytest.mark.parametrize(
    ("event", "type_", "bounce"),
    [
        (Event.ACCEPTED, "sent", None),
        (Event.DEFERRED, "unknown", None),
        (Event.DELIVERED, "delivered", None),
        (Event.BOUNCED, "bounced", "Permanent: General"),
        (Event.SOFT_BOUNCED, "bounced", "Transient: MailboxFull"),
        (Event.COMPLAINED, "complained", None),
        (Event.AUTO_REPLIED, "bounced", "Transient: General"),
        (Event.SUPPRESSED, "bounced", "Permanent: OnAccountSuppressionList"),
    ],
)
def test_ses_events_read_as_anymail_reads_them(keys, event, type_, bounce):
    read = read_ses(SesReports(keys), event)
    assert (read.event_type, read.recipient, read.message_id) == (type_, "ada@example.com", "0100-abc")
    assert read.metadata == METADATA
    assert read.esp_event["mail"]["tags"]["mailroom_attempt"] == ["2"]
    if bounce:
        assert read.description == bounce


def test_delay_names_the_delayed_recipients(keys):
    delay = json.loads(SesReports(keys).event(happening(Event.DEFERRED))["Message"])
    assert delay["eventType"] == "DeliveryDelay"
    assert [one["emailAddress"] for one in delay["deliveryDelay"]["delayedRecipients"]] == ["ada@example.com"]


def sendgrid_verifies(keys, post, body):
    key = serialization.load_der_public_key(base64.b64decode(keys.public_curve()))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    timestamp = post.headers["X-Twilio-Email-Event-Webhook-Timestamp"].encode()
    signature = base64.b64decode(post.headers["X-Twilio-Email-Event-Webhook-Signature"])
    key.verify(signature, timestamp + body, ec.ECDSA(hashes.SHA256()))


def test_sendgrids_signature_is_valid_only_for_these_bytes(keys):
    reports = SendGridReports(keys)
    post = reports.post([reports.event(happening(Event.BOUNCED, "sendgrid"))] * 2)
    assert len(json.loads(post.body)) == 2
    sendgrid_verifies(keys, post, post.body)
    with pytest.raises(InvalidSignature):
        sendgrid_verifies(keys, post, post.body.replace(b"ada@", b"eve@"))


def sns_verifies(certificate, envelope):
    fields = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    signed = "".join(f"{name}\n{envelope[name]}\n" for name in fields).encode()
    key = x509.load_pem_x509_certificate(certificate).public_key()
    key.verify(base64.b64decode(envelope["Signature"]), signed, padding.PKCS1v15(), hashes.SHA256())


def test_sns_signature_is_valid_only_for_this_message(keys):
    reports = SesReports(keys)
    post = reports.post([reports.event(happening(Event.DELIVERED))])
    envelope = json.loads(post.body)
    assert (envelope["TopicArn"], envelope["SignatureVersion"]) == (TOPIC, "2")
    assert envelope["SigningCertURL"].startswith("https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-")
    assert post.headers["x-amz-sns-message-type"] == envelope["Type"]
    assert post.headers["x-amz-sns-message-id"] == envelope["MessageId"]
    assert UUID(envelope["MessageId"])
    sns_verifies(keys.certificate, envelope)
    with pytest.raises(InvalidSignature):
        sns_verifies(keys.certificate, {**envelope, "TopicArn": "arn:aws:sns:eu-central-1:1:other"})


@pytest.mark.parametrize("auth", ["", "postmark:säcret"])
def test_postmark_authenticates_with_the_given_credentials(auth):
    reports = PostmarkReports(auth)
    header = reports.post([reports.event(happening(Event.DELIVERED))]).headers.get("Authorization")
    assert header == (f"Basic {base64.b64encode(auth.encode()).decode()}" if auth else None)


@pytest.mark.parametrize(
    ("status", "sendgrid", "ses", "postmark"),
    [
        (None, True, True, True),
        (302, True, False, True),
        (400, True, False, True),
        (403, True, False, False),
        (404, True, False, True),
        (500, True, True, True),
        (503, True, True, True),
    ],
)
def test_providers_retry_like_the_real_ones(keys, status, sendgrid, ses, postmark):
    reports = (SendGridReports(keys), SesReports(keys), PostmarkReports(""))
    assert [one.tries_again(status) for one in reports] == [sendgrid, ses, postmark]


def test_keys_are_created_once_and_readable_only_by_their_owner(tmp_path):
    folder = tmp_path / "deep" / "keys"
    first, second = kept_keys(folder), kept_keys(folder)
    assert first.public_curve() == second.public_curve()
    assert first.certificate == second.certificate == certificate_file(folder).read_bytes()
    assert folder.stat().st_mode & 0o077 == 0
    assert len(list(folder.iterdir())) == 3
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())


def test_lost_certificate_is_replaced_with_a_new_key(tmp_path):
    first = kept_keys(tmp_path)
    certificate_file(tmp_path).unlink()
    second = kept_keys(tmp_path)
    assert second.public_curve() == first.public_curve()
    signed = second.sign_rsa(b"x")
    key = x509.load_pem_x509_certificate(second.certificate).public_key()
    key.verify(base64.b64decode(signed), b"x", padding.PKCS1v15(), hashes.SHA256())
