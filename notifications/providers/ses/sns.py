"""Verify that Amazon signed an SNS message about one of our topics.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import base64
import binascii
import re
from datetime import datetime
from enum import StrEnum
from typing import Any

import requests
from cryptography.hazmat.primitives import hashes

from notifications.providers.base.payload import refuse_stale
from notifications.providers.base.webhook import CannotVerifyError, InvalidSignatureError
from notifications.providers.ses import certificates, fetching
from notifications.providers.ses.settings import settings


class Type(StrEnum):
    NOTIFICATION = "Notification"
    SUBSCRIBE = "SubscriptionConfirmation"
    UNSUBSCRIBE = "UnsubscribeConfirmation"


# The signed fields, in the order of the signature.
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED = {
    Type.NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    Type.SUBSCRIBE: CONFIRMATION,
    Type.UNSUBSCRIBE: CONFIRMATION,
}
OPTIONAL = {"Subject"}
# Only "Message" may have several lines: a line break elsewhere could move text to another field without a change of the
# signed text.
SHAPES = {
    "Message": re.compile(r".*", re.DOTALL),
    "MessageId": re.compile(r"[0-9A-Za-z-]{1,100}"),
    "Subject": re.compile(r"[^\r\n]*"),
    "SubscribeURL": re.compile(r"[\x21-\x7e]{1,2000}"),
    "Timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII),
    "Token": re.compile(r"[0-9A-Za-z_-]{1,2000}"),
    "TopicArn": re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]{1,256}", re.ASCII),
    "Type": re.compile("|".join(SIGNED)),
}
DIGESTS = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 - Amazon's default for topics is still version 1

# The whole URL, so that it cannot contain a user, a port, a query or another host.
HOST = r"https://sns\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?"
CERTIFICATE_URL = re.compile(HOST + r"/SimpleNotificationService-[0-9a-f]{1,64}\.pem")
SUBSCRIBE_URL = re.compile(HOST + r"/\?Action=ConfirmSubscription&[\x21-\x7e]+")


def verified(message: Any) -> dict[str, str]:
    """Return the signed fields of a message.

    Raises InvalidSignatureError and CannotVerifyError. Checks the topic before any request: a valid signature only
    proves that some AWS account published the message.
    """
    fields = signed_fields(message)
    if fields["TopicArn"] not in settings.SES_WEBHOOK_TOPICS:
        raise InvalidSignatureError(f"SES_WEBHOOK_TOPICS does not name {fields['TopicArn']}")
    refuse_stale(sent_at(fields["Timestamp"]))
    digest = DIGESTS.get(str(message.get("SignatureVersion")))
    if digest is None:
        raise InvalidSignatureError("an unknown version of signature")
    signature = decoded(message.get("Signature"))
    signing_certificate(message.get("SigningCertURL"), fields["TopicArn"]).verify(signature, canonical(fields), digest)
    return fields


def signed_fields(message: Any) -> dict[str, str]:
    # In the order of the signature.
    if not isinstance(message, dict) or message.get("Type") not in list(SIGNED):
        raise InvalidSignatureError("no SNS message; raw message delivery has no signature")
    names = [name for name in SIGNED[message["Type"]] if name not in OPTIONAL or message.get(name) is not None]
    for name in names:
        if not isinstance(message.get(name), str) or not SHAPES[name].fullmatch(message[name]):
            raise InvalidSignatureError(f"an SNS message without a valid {name}")
    return {name: message[name] for name in names}


def canonical(fields: dict[str, str]) -> bytes:
    # Each name and each value on a line, with a line break after the last.
    text = "".join(f"{name}\n{value}\n" for name, value in fields.items())
    return text.encode(errors="surrogatepass")


def sent_at(timestamp: str) -> datetime:
    try:
        return datetime.fromisoformat(timestamp)
    except ValueError as error:
        raise InvalidSignatureError("an SNS message without a valid Timestamp") from error


def decoded(signature: Any) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise InvalidSignatureError("no signature") from error


def signing_certificate(url: Any, topic: str) -> certificates.Certificate:
    """Return the certificate that a message names. Raises InvalidSignatureError and CannotVerifyError."""
    if settings.MAILROOM_LOCAL and settings.SNS_CERTIFICATE_FILE:
        return certificates.from_file(settings.SNS_CERTIFICATE_FILE)
    return certificates.fetched(require_sns_url(url, CERTIFICATE_URL, topic))


def require_sns_url(url: Any, shape: re.Pattern[str], topic: str) -> str:
    # Returns only URLs of SNS in the topic's region.
    found = shape.fullmatch(url) if isinstance(url, str) else None
    if found is None or found["region"] != topic.split(":")[3]:
        raise InvalidSignatureError("an address that is not Amazon SNS's")
    return found[0]


def confirm_subscription(fields: dict[str, str]) -> None:
    """Confirm the subscription of a verified message. Raises InvalidSignatureError and CannotVerifyError."""
    answer = fetching.get(require_sns_url(fields["SubscribeURL"], SUBSCRIBE_URL, fields["TopicArn"]))
    if answer.status != requests.codes.ok:
        raise CannotVerifyError(f"Amazon did not confirm the subscription: status {answer.status}")
