"""How many provider events a second are proven, stored and read: SendGrid in batches, SNS one by one.

Starts a stack of its own with the shipped settings; the events are about messages that exist, so that reading them is
the real work: every message moves from uncertain to sent and delivered. Requests are signed before the clock starts.
"""

import base64
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from config.local.ports import free_port
from config.local.stack import Ports, Stack

BATCHES, BATCH = 40, 500
NOTIFICATIONS = 3000
SENDERS = 4
TOPIC = "arn:aws:sns:eu-central-1:000000000000:mailroom"
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
READ_WITHIN_S = 120.0
MESSAGES = """
INSERT INTO notifications_message (
    id, kind, stream, to_address, context, idempotency_key, status, status_reason, provider, outcome, resent_uncertain,
    attempts, relayed
)
SELECT
    id, 'product-news', 'bulk', id || '@example.com', '{}', 'bench:' || id, 'uncertain', '', '', 'unknown', false, 1, 0
FROM unnest(%s::uuid[]) AS id
"""


@dataclass(frozen=True)
class Request:
    body: bytes
    headers: dict[str, str]


class SendGridSigner:
    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_key(self) -> str:
        der = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(der).decode()

    def batch(self, message_ids: Sequence[UUID]) -> Request:
        now = int(time.time())
        events = [
            {
                "event": "delivered",
                "email": f"{message_id}@example.com",
                "timestamp": now,
                "sg_event_id": uuid4().hex,
                "sg_message_id": f"{uuid4().hex}.filter0001.1.1-0",
                "smtp-id": f"<{message_id}@example.com>",
                "response": "250 2.0.0 OK",
                "mailroom_message_id": str(message_id),
                "mailroom_attempt": "1",
            }
            for message_id in message_ids
        ]
        body = json.dumps(events).encode()
        signature = self.key.sign(str(now).encode() + body, ec.ECDSA(hashes.SHA256()))
        return Request(
            body,
            {
                "Content-Type": "application/json",
                "X-Twilio-Email-Event-Webhook-Timestamp": str(now),
                "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            },
        )


class SnsSigner:
    def __init__(self, folder: Path) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )
        self.certificate = folder / "sns.pem"
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def notification(self, message_id: UUID) -> Request:
        event = {
            "eventType": "Delivery",
            "mail": {
                "timestamp": datetime.now(UTC).isoformat(),
                "messageId": f"01000-{uuid4()}",
                "destination": [f"{message_id}@example.com"],
                "headersTruncated": False,
                "headers": [],
                "tags": {"mailroom_message_id": [str(message_id)], "mailroom_attempt": ["1"]},
            },
            "delivery": {
                "timestamp": datetime.now(UTC).isoformat(),
                "recipients": [f"{message_id}@example.com"],
                "smtpResponse": "250 2.0.0 OK",
            },
        }
        said = {
            "Type": "Notification",
            "MessageId": str(uuid4()),
            "TopicArn": TOPIC,
            "Message": json.dumps(event),
            "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
        text = "".join(f"{name}\n{said[name]}\n" for name in sorted(said))
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        proof = {
            "SignatureVersion": "2",
            "Signature": base64.b64encode(signature).decode(),
            "SigningCertURL": CERTIFICATE_URL,
        }
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "x-amz-sns-message-type": "Notification",
            "x-amz-sns-message-id": said["MessageId"],
            "x-amz-sns-topic-arn": TOPIC,
        }
        return Request(json.dumps(said | proof).encode(), headers)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sendgrid, sns = SendGridSigner(), SnsSigner(Path(folder))
        caller = os.environ | {
            "SENDGRID_WEBHOOK_KEY": sendgrid.public_key,
            "SES_WEBHOOK_TOPICS": TOPIC,
            "SNS_CERTIFICATE_FILE": str(sns.certificate),
        }
        ports = Ports(web=free_port(), flower=free_port(), simulator=free_port())
        stack = Stack(Path(folder) / "stack", ports, caller)
        try:
            stack.start(say=_say)
            measure(stack, sendgrid, sns)
        finally:
            stack.stop()
            for server in stack.servers:
                server.destroy()


def measure(stack: Stack, sendgrid: SendGridSigner, sns: SnsSigner) -> None:
    batched = [uuid4() for _ in range(BATCHES * BATCH)]
    single = [uuid4() for _ in range(NOTIFICATIONS)]
    with closing(psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True)) as database:
        database.execute(MESSAGES, [batched + single])

    def read() -> int:
        row = database.execute("SELECT count(*) FROM notifications_message WHERE outcome = 'delivered'").fetchone()
        return int(row[0]) if row else 0

    with closing(psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True)) as database:
        requests_ = [sendgrid.batch(batched[start : start + BATCH]) for start in range(0, len(batched), BATCH)]
        stored, applied = rates(f"{stack.site_url}/webhooks/sendgrid/", requests_, len(batched), read)
        notifications = [sns.notification(message_id) for message_id in single]
        before = read()
        sns_stored, sns_applied = rates(
            f"{stack.site_url}/webhooks/ses/", notifications, len(single), lambda: read() - before
        )
    _say(
        f"webhooks: sendgrid_stored_per_s={stored:.0f} sendgrid_read_per_s={applied:.0f} "
        f"sns_stored_per_s={sns_stored:.0f} sns_read_per_s={sns_applied:.0f}"
    )


def rates(url: str, posts: Sequence[Request], events: int, read: Callable[[], int]) -> tuple[float, float]:
    """Post everything over a few kept connections; return events a second until answered and until read."""

    def send(share: Sequence[Request]) -> None:
        with requests.Session() as session:
            session.trust_env = False
            for post in share:
                session.post(url, post.body, headers=post.headers, timeout=60).raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(send, [posts[number::SENDERS] for number in range(SENDERS)]))
    answered_s = time.perf_counter() - began
    while read() < events:
        if time.perf_counter() - began > READ_WITHIN_S:
            raise SystemExit(f"{read()} of {events} events were read within {READ_WITHIN_S:g} s")
        time.sleep(0.1)
    return events / answered_s, events / (time.perf_counter() - began)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
