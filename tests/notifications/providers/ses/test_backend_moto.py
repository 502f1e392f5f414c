"""SES with moto's server: it accepts the email, and tests read it back as MIME."""

from email import message_from_string, policy
from email.utils import getaddresses

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from notifications.providers.base import connections, deadline
from notifications.providers.base.sending import ProviderError
from notifications.providers.ses.backend import Ses
from notifications.rules.retry import ErrorClass
from tests.notifications.providers.base.outgoing import SUBJECT, outgoing

LONGEST_LINE = 998


@pytest.fixture(scope="module")
def moto():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def ses(moto, settings, monkeypatch):
    requests.post(f"{moto}/moto-api/reset", timeout=10).raise_for_status()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "canary-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
    settings.SES_REGION = "us-east-1"
    settings.SES_ENDPOINT_URL = moto
    connections.close_all()
    others = set(deadline._here.owner.sockets)
    yield Ses()
    connections.close_all()
    assert deadline._here.owner.sockets <= others


@pytest.fixture
def verified(ses, moto):
    client = boto3.client("sesv2", region_name="us-east-1", endpoint_url=moto)
    client.create_email_identity(EmailIdentity="shop@example.com")
    client.close()


@pytest.fixture
def taken(moto):
    return lambda: requests.get(f"{moto}/moto-api/data.json", timeout=10).json()["ses"]["RawMessage"]


@pytest.mark.usefixtures("verified")
def test_email_arrives_complete_at_one_recipient(ses, taken):
    mail = outgoing()
    receipt = ses.send(mail)
    (entry,) = taken()
    assert receipt.provider_message_id == entry["id"]
    # moto adds the recipients in the headers to those of the envelope.
    assert {address for _, address in getaddresses(entry["destinations"])} == {"ada.canary@example.com"}
    message = message_from_string(entry["raw_data"], policy=policy.default)
    assert [(to.display_name, to.addr_spec) for to in message["To"].addresses] == [
        ("Ada, Canary 🎩", "ada.canary@example.com")
    ]
    assert str(message["From"]) == "Shop <shop@example.com>"
    assert message["Subject"] == SUBJECT
    assert message["Message-ID"] == "<1@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    for name in ("Cc", "Bcc", "Sender", "Return-Path"):
        assert name not in message
    assert all(len(message.get_all(name)) == 1 for name in set(message.keys()))


@pytest.mark.usefixtures("verified")
def test_both_bodies_arrive_text_first(ses, taken):
    written = "Hallo Ada,\n\nGrüße & so weiter\n"
    ses.send(outgoing(text=written, html="<p>Grüße &amp; so weiter</p>" * 200))
    message = message_from_string(taken()[0]["raw_data"], policy=policy.default)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    text, html = (part.get_content() for part in message.iter_parts())
    assert text == written
    assert html.strip() == "<p>Grüße &amp; so weiter</p>" * 200


@pytest.mark.usefixtures("verified")
def test_lines_are_ascii_and_not_too_long(ses, taken):
    ses.send(outgoing(subject="ü" * 900, to_name="Ä" * 300, html="<p>é</p>" * 1000))
    raw = taken()[0]["raw_data"]
    assert max(len(line) for line in raw.splitlines()) <= LONGEST_LINE
    assert raw.isascii()


@pytest.mark.usefixtures("verified")
def test_header_with_our_id_and_attempt_has_no_personal_data(ses, taken):
    mail = outgoing()
    ses.send(mail)
    message = message_from_string(taken()[0]["raw_data"], policy=policy.default)
    assert str(mail.message_id) in message["X-Metadata"]
    assert "canary" not in message["X-Metadata"].lower()


def test_unverified_sender_is_misconfigured(ses):
    with pytest.raises(ProviderError) as refused:
        ses.send(outgoing())
    assert refused.value.error_class is ErrorClass.MISCONFIGURED
    assert "canary" not in repr(refused.value).lower()
