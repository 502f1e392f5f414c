"""Signers for tests, written from the providers' documentation and not from the code that verifies."""

import base64
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from notifications.providers.base.webhook import WebhookRequest

REGION = "eu-central-1"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:ses-events"
HOST = f"sns.{REGION}.amazonaws.com"
CERTIFICATE_PATH = "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
TOKEN = "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92"
SUBSCRIBE_PATH = f"/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}"

EVENT = {"eventType": "Send", "mail": {"messageId": "1", "destination": ["ada@example.com"]}, "send": {}}

NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def now(offset: timedelta = timedelta(0)) -> str:
    return (datetime.now(UTC) + offset).strftime("%Y-%m-%dT%H:%M:%S.123Z")


def certificate(
    key: Any, *, starts: timedelta = timedelta(hours=-1), ends: timedelta = timedelta(days=300), extra: int = 0
) -> bytes:
    """Return a self-signed certificate in PEM, with `extra` bytes of an unknown extension."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    today = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today + starts)
        .not_valid_after(today + ends)
    )
    if extra:
        blob = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"x" * extra)
        builder = builder.add_extension(blob, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass
class Sns:
    """Signs as Amazon SNS does."""

    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def notification(self, message: Any, **changes: Any) -> dict[str, Any]:
        text = message if isinstance(message, str) else json.dumps(message)
        return self.signed({**self.common("Notification"), "Message": text, **changes}, NOTIFICATION)

    def confirmation(self, kind: str = "SubscriptionConfirmation", **changes: Any) -> dict[str, Any]:
        text = f"You have chosen to subscribe to the topic {TOPIC}.\nTo confirm, visit the SubscribeURL."
        own = {"Message": text, "Token": TOKEN, "SubscribeURL": f"https://{HOST}{SUBSCRIBE_PATH}"}
        return self.signed({**self.common(kind), **own, **changes}, CONFIRMATION)

    def common(self, kind: str) -> dict[str, Any]:
        return {
            "Type": kind,
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Timestamp": now(),
            "SignatureVersion": "2",
            "SigningCertURL": f"https://{HOST}{CERTIFICATE_PATH}",
        }

    def signed(self, message: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
        digest: hashes.HashAlgorithm = hashes.SHA1() if message["SignatureVersion"] == "1" else hashes.SHA256()  # noqa: S303
        signature = self.key.sign(text.encode(errors="surrogatepass"), padding.PKCS1v15(), digest)
        return {"Signature": base64.b64encode(signature).decode(), **message}


@dataclass
class SendGrid:
    """Signs as SendGrid does."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def shown_key(self) -> str:
        """Return the public key as SendGrid's page shows it."""
        der = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(der).decode()

    def pem(self) -> str:
        encoding, shape = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(encoding, shape).decode()

    def posted(self, body: bytes, *, timestamp: str = "") -> WebhookRequest:
        timestamp = timestamp or str(int(time.time()))
        signature = self.key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return WebhookRequest(
            body,
            {
                "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
                "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
            },
        )


def as_posted(message: Any) -> WebhookRequest:
    """Return the request with an SNS message."""
    return WebhookRequest(json.dumps(message).encode(), {"Content-Type": "text/plain; charset=UTF-8"})


def basic_auth(user_and_password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(user_and_password.encode()).decode()}"}
