"""SNS messages signed by moto, with the complete verification.

moto does not sign the subject, always uses version 2 and sends no subscription to confirm: test_sns.py covers those.
"""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from notifications.providers.base.webhook import InvalidSignatureError, WebhookRequest
from notifications.providers.ses.webhook import SesWebhook
from tests.notifications.providers.base.signing import HOST, REGION

# One port serves all of moto's services, and this header selects one; moto does not verify its signature.
TO_SNS = f"AWS4-HMAC-SHA256 Credential=an-id/20261124/{REGION}/sns/aws4_request, SignedHeaders=host, Signature=none"
EVENT = {
    "eventType": "Delivery",
    "mail": {"messageId": "grüße-1", "destination": ["ada@example.com"], "timestamp": "2026-11-20T09:15:30.120Z"},
    "delivery": {"recipients": ["ada@example.com"], "smtpResponse": "250 ok"},
}


@pytest.fixture
def moto():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # moto's state belongs to the process, not to the server.
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=10).raise_for_status()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def endpoint():
    """Yield the subscription's URL and the list of requests to it."""
    arrived = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrived.put(WebhookRequest(body, dict(self.headers)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/webhooks/ses/", arrived
        server.shutdown()
        thread.join(5)


@pytest.fixture
def published(moto, endpoint, amazon, settings):
    """Return a function that publishes an event and returns what the subscription received."""
    url, arrived = endpoint
    client = boto3.client("sns", REGION, endpoint_url=moto, aws_access_key_id="an-id", aws_secret_access_key="a-secret")
    topic = client.create_topic(Name="ses-events")["TopicArn"]
    client.subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
    settings.SES_WEBHOOK_TOPICS = [topic]

    def ask_moto(handler):
        answer = requests.get(moto + handler.path, headers={"Host": HOST, "Authorization": TO_SNS}, timeout=10)
        handler.send_response(answer.status_code)
        handler.send_header("Content-Length", str(len(answer.content)))
        handler.end_headers()
        handler.wfile.write(answer.content)

    amazon.anything_else = ask_moto

    def publish(message):
        client.publish(TopicArn=topic, Message=message)
        return arrived.get(timeout=20)

    yield publish
    client.close()


def test_message_signed_by_moto_is_accepted(published, amazon):
    posted = published(json.dumps(EVENT, ensure_ascii=False))
    webhook = SesWebhook()
    (event,) = webhook.verify_and_parse(posted).events
    assert event.event_id == json.loads(posted.body)["MessageId"]
    found = webhook.interpret(event.payload)
    assert (found.kind, found.recipient, found.provider_message_id) == ("delivered", "ada@example.com", "grüße-1")
    assert len(amazon.asked) == 1
    assert amazon.dialled == [(HOST, 443)]


def test_changed_message_signed_by_moto_is_refused(published):
    posted = published(json.dumps(EVENT))
    assert SesWebhook().verify_and_parse(posted).events
    changed = posted.body.replace(b"ada@example.com", b"eve@example.com")
    assert changed != posted.body
    with pytest.raises(InvalidSignatureError):
        SesWebhook().verify_and_parse(WebhookRequest(changed, posted.headers))


def test_message_signed_by_moto_for_another_topic_is_refused(published, settings, amazon):
    posted = published(json.dumps(EVENT))
    settings.SES_WEBHOOK_TOPICS = ["arn:aws:sns:eu-central-1:999999999999:ses-events"]
    amazon.dialled.clear()
    with pytest.raises(InvalidSignatureError):
        SesWebhook().verify_and_parse(posted)
    assert amazon.dialled == []
