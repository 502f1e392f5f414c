"""The answers to webhooks, and what is stored."""

import base64
import json
import time
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import OperationalError
from django.db.models.functions import Now

from notifications.events import ingest
from notifications.events.apply import read_due
from notifications.models import EventBatch, Message, ProviderEvent
from notifications.outbox import recover
from notifications.providers.sendgrid.webhook import SendGridWebhook
from notifications.rules.states import Status
from tests.factories import MessageFactory
from tests.notifications.providers.base import signing
from tests.scripted_webhook import ScriptedWebhook

pytestmark = pytest.mark.django_db

URL = "/webhooks/scripted/"


def post(client, events, **headers):
    return client.post(URL, json.dumps(events), content_type="application/json", headers=headers)


def test_events_are_stored_unchanged_and_answered_with_ok(client):
    event = {"id": "e1", "kind": "delivered", "anything": ["else", 1.5, None, True]}
    assert post(client, [event]).status_code == 200
    row = ProviderEvent.objects.get()
    assert (row.provider, row.event_id, row.payload, row.state) == ("scripted", "e1", event, "stored")


def test_repeated_event_is_stored_once(client):
    for _ in range(3):
        assert post(client, [{"id": "e1"}, {"id": "e1"}, {"id": "e2"}]).status_code == 200
    assert ProviderEvent.objects.count() == 2


@pytest.mark.parametrize(("trouble", "status"), [("forged", 403), ("malformed", 400), ("unverifiable", 503)])
def test_unverified_request_changes_nothing(client, trouble, status):
    answer = post(client, [{"id": "e1"}], **{"X-Trouble": trouble})
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert not ProviderEvent.objects.exists()


def test_oversized_request_is_refused_without_reading_it(client, monkeypatch):
    monkeypatch.setattr(ScriptedWebhook, "max_bytes", 100)
    assert post(client, [{"id": "e1", "text": "x" * 200}]).status_code == 413
    assert not ProviderEvent.objects.exists()


def test_request_larger_than_the_limit_of_forms_is_accepted(client, settings):
    assert post(client, [{"id": "e1", "text": "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)}]).status_code == 200


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_other_methods_are_refused(client, method):
    assert getattr(client, method)(URL).status_code == 405


def test_unknown_provider_is_not_found(client):
    assert client.post("/webhooks/unknown/").status_code == 404


def test_provider_without_set_up_must_retry(client):
    assert client.post("/webhooks/sendgrid/", "[]", content_type="application/json").status_code == 503


def test_failed_database_makes_the_provider_retry(client, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("away")

    monkeypatch.setattr(ProviderEvent.objects, "bulk_create", away)
    client.raise_request_exception = False
    assert post(client, [{"id": "e1"}]).status_code == 503


@pytest.fixture
def sendgrid(settings):
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    settings.SENDGRID_WEBHOOK_KEY = base64.b64encode(der).decode()

    def headers(body):
        now = str(int(time.time()))
        signature = base64.b64encode(key.sign(now.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
        return {
            "X-Twilio-Email-Event-Webhook-Timestamp": now,
            "X-Twilio-Email-Event-Webhook-Signature": signature,
        }

    return headers


@pytest.mark.parametrize(
    "hostile",
    [
        rb'"null \u0000 character"',
        rb'"lone \ud800 surrogate"',
        b"NaN",
        b"1e999",
        rb'{"\u0000": "in a name"}',
        rb'[[["deep", "\u0000"]]]',
        b"null",
        b"[" * 100 + b"]" * 100,
    ],
)
def test_unstorable_event_does_not_block_its_batch(client, sendgrid, hostile):
    message = MessageFactory(uncertain=True)
    good = json.dumps(
        {"event": "delivered", "email": "a@example.com", "sg_event_id": "good", "mailroom_message_id": str(message.id)}
    ).encode()
    body = b'[{"event": "bounce", "odd": ' + hostile + b"}, " + hostile + b", " + good + b"]"
    for _ in range(2):
        answer = client.post("/webhooks/sendgrid/", body, content_type="application/json", headers=sendgrid(body))
        assert answer.status_code == 200
    assert ProviderEvent.objects.count() == 3
    assert read_due() == {"unreadable": 2, "applied": 1}
    assert Message.objects.get(id=message.id).status == Status.SENT


def test_forged_batch_changes_nothing(client, sendgrid):
    body = b'[{"event": "bounce", "email": "a@example.com"}]'
    headers = sendgrid(body)
    for forged in (body.replace(b"a@", b"b@"), body + b" "):
        answer = client.post("/webhooks/sendgrid/", forged, content_type="application/json", headers=headers)
        assert answer.status_code == 403
    assert client.post("/webhooks/sendgrid/", body, content_type="application/json").status_code == 403
    assert not ProviderEvent.objects.exists()


def post_sns(client, settings, tmp_path, signer, message):
    """Post to the view of SES, with the signer's certificate in place of Amazon's."""
    settings.SES_WEBHOOK_TOPICS, settings.MAILROOM_LOCAL = [signing.TOPIC], True
    (tmp_path / "sns.pem").write_bytes(signing.certificate(signer.key))
    settings.SNS_CERTIFICATE_FILE = str(tmp_path / "sns.pem")
    posted = signing.as_posted(message)
    return client.post("/webhooks/ses/", posted.body, content_type="text/plain").status_code


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({}, 200),
        ({"TopicArn": signing.TOPIC + "-of-another-account"}, 403),
        ({"Timestamp": signing.now(timedelta(days=-3))}, 403),
    ],
)
def test_sns_message_is_stored_once_or_changes_nothing(client, settings, tmp_path, wrong, status):
    signer = signing.Sns()
    message = signer.notification(signing.EVENT, **wrong)
    for _ in range(2):
        assert post_sns(client, settings, tmp_path, signer, message) == status
    assert ProviderEvent.objects.count() == (status == 200)


@pytest.mark.parametrize("forgery", ["unsigned", "of another key", "changed"])
def test_forged_sns_message_changes_nothing(client, settings, tmp_path, forgery):
    signer = signing.Sns()
    message = (signing.Sns() if forgery == "of another key" else signer).notification(signing.EVENT)
    if forgery == "unsigned":
        del message["Signature"]
    elif forgery == "changed":
        message["Message"] = message["Message"].replace("ada", "eve")
    assert post_sns(client, settings, tmp_path, signer, message) == 403
    assert not ProviderEvent.objects.exists()


def test_oversized_sns_message_changes_nothing(client, settings, tmp_path):
    signer = signing.Sns()
    message = signer.notification({**signing.EVENT, "more": "x" * 600_000})
    assert post_sns(client, settings, tmp_path, signer, message) == 413
    assert not ProviderEvent.objects.exists()


LARGE = 20_000


def batch_of(count, message=None):
    ours = {"mailroom_message_id": str(message.id)} if message else {}
    return json.dumps(
        [
            {"event": "delivered", "email": "a@example.com", "sg_event_id": f"e{number}", **ours}
            for number in range(count)
        ]
    ).encode()


def test_large_batch_is_stored_in_few_rows_and_read_in_parts(client, sendgrid, django_assert_max_num_queries):
    """A slow answer would block a web thread."""
    message = MessageFactory(uncertain=True)
    body = batch_of(LARGE, message)
    with django_assert_max_num_queries(4):
        answer = client.post("/webhooks/sendgrid/", body, content_type="application/json", headers=sendgrid(body))
    assert answer.status_code == 200
    assert not ProviderEvent.objects.exists()
    assert EventBatch.objects.count() == LARGE // ingest.PART
    assert read_due() == {"applied": ingest.PART}
    assert Message.objects.get(id=message.id).status == Status.SENT
    assert EventBatch.objects.count() == LARGE // ingest.PART - 1


def test_repeated_large_batch_is_read_once(client, sendgrid):
    body = batch_of(ingest.DIRECT + 1)
    for _ in range(2):
        client.post("/webhooks/sendgrid/", body, content_type="application/json", headers=sendgrid(body))
    read = 0
    while EventBatch.objects.exists():
        read += read_due().total()
    assert read == ProviderEvent.objects.count() == ingest.DIRECT + 1


def test_uncertain_message_waits_for_an_unsplit_batch():
    message = MessageFactory(uncertain=True)
    EventBatch.objects.create(provider="sendgrid", events=[], received_at=Now() - timedelta(minutes=5))
    assert recover.settle_uncertain() == 0
    EventBatch.objects.all().delete()
    assert recover.settle_uncertain() == 1
    assert Message.objects.get(id=message.id).status == Status.QUEUED


def test_more_events_than_any_provider_sends_are_refused(client, sendgrid, monkeypatch):
    monkeypatch.setattr(SendGridWebhook, "max_events", 10)
    body = batch_of(11)
    answer = client.post("/webhooks/sendgrid/", body, content_type="application/json", headers=sendgrid(body))
    assert answer.status_code == 413
    assert not ProviderEvent.objects.exists()
