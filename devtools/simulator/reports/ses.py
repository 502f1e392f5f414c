"""Amazon SES's event publishing through SNS: one signed notification per event.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from devtools.simulator.journal import Entry
from devtools.simulator.outcomes import Event
from devtools.simulator.reports.base import Happening, Post, Reports, bare
from devtools.simulator.signing import Keys

ACCOUNT = "000000000000"
TOPIC = f"arn:aws:sns:eu-central-1:{ACCOUNT}:mailroom"
HOST = "https://sns.eu-central-1.amazonaws.com"
SUBSCRIPTION = f"{TOPIC}:4a3f8f3c-0000-4000-8000-000000000000"
SIGNED_FIELDS = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")


def _delivery(happening: Happening) -> dict[str, Any]:
    return {
        "timestamp": _stamp(happening.at),
        "processingTimeMillis": 546,
        "recipients": [happening.entry.to],
        "smtpResponse": "250 2.6.0 Message received",
        "reportingMTA": "a8-1.smtp-out.eu-central-1.amazonses.com",
    }


def _delay(happening: Happening) -> dict[str, Any]:
    code = "smtp; 451 4.7.1 Greylisted, try again later"
    return {
        "timestamp": _stamp(happening.at),
        "delayType": "TransientCommunicationFailure",
        "expirationTime": _stamp(happening.at + timedelta(hours=14)),
        "delayedRecipients": [{"emailAddress": happening.entry.to, "status": "4.7.1", "diagnosticCode": code}],
    }


def _complaint(happening: Happening) -> dict[str, Any]:
    return {
        "timestamp": _stamp(happening.at),
        "feedbackId": _feedback_id(happening),
        "complainedRecipients": [{"emailAddress": happening.entry.to}],
        "complaintSubType": None,
        "complaintFeedbackType": "abuse",
        "userAgent": "Mailbox/1.0",
        "arrivalDate": _stamp(happening.at),
    }


def _bounce(bounce: str, sub: str, **recipient: str) -> Callable[[Happening], dict[str, Any]]:
    def say(happening: Happening) -> dict[str, Any]:
        return {
            "timestamp": _stamp(happening.at),
            "feedbackId": _feedback_id(happening),
            "bounceType": bounce,
            "bounceSubType": sub,
            "bouncedRecipients": [{"emailAddress": happening.entry.to, **recipient}],
            # Only a bounce that a mail server reported names the server.
            **({"reportingMTA": "dsn; a8-1.smtp-out.eu-central-1.amazonses.com"} if recipient else {}),
        }

    return say


# The event's type, the name of its object, and the object.
EVENTS: dict[Event, tuple[str, str, Callable[[Happening], dict[str, Any]]]] = {
    Event.ACCEPTED: ("Send", "send", lambda _: {}),
    Event.DEFERRED: ("DeliveryDelay", "deliveryDelay", _delay),
    Event.DELIVERED: ("Delivery", "delivery", _delivery),
    Event.BOUNCED: (
        "Bounce",
        "bounce",
        _bounce(
            "Permanent",
            "General",
            action="failed",
            status="5.1.1",
            diagnosticCode="smtp; 550 5.1.1 user unknown",
        ),
    ),
    Event.SOFT_BOUNCED: (
        "Bounce",
        "bounce",
        _bounce(
            "Transient",
            "MailboxFull",
            action="failed",
            status="5.2.2",
            diagnosticCode="smtp; 552 5.2.2 mailbox full",
        ),
    ),
    Event.COMPLAINED: ("Complaint", "complaint", _complaint),
    # As ooto@simulator.amazonses.com is reported.
    Event.AUTO_REPLIED: ("Bounce", "bounce", _bounce("Transient", "General")),
    Event.SUPPRESSED: (
        "Bounce",
        "bounce",
        _bounce(
            "Permanent",
            "OnAccountSuppressionList",
            action="failed",
            status="5.1.1",
            diagnosticCode="Amazon SES did not send the message to this address because it is on the suppression list "
            "for your account.",
        ),
    ),
}


class SesReports(Reports):
    # SNS retries three times, 20 s apart.
    pauses = (5, 5, 5)

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.certificate_url = (
            f"{HOST}/SimpleNotificationService-{hashlib.sha256(keys.certificate).hexdigest()[:32]}.pem"
        )

    def event(self, happening: Happening) -> dict[str, Any]:
        kind, name, say = EVENTS[happening.event]
        notification = {"eventType": kind, "mail": _mail(happening.entry), name: say(happening)}
        # Signed here and not in `post`, because SNS's id and time stay the same in retries.
        return self._signed(
            {
                "Type": "Notification",
                "MessageId": happening.event_id,
                "TopicArn": TOPIC,
                "Subject": "Amazon SES Email Event Notification",
                "Message": json.dumps(notification) + "\n",
                "Timestamp": _stamp(happening.at),
                "SignatureVersion": "2",
            }
        )

    def _signed(self, envelope: dict[str, str]) -> dict[str, Any]:
        return {
            **envelope,
            "Signature": self.keys.sign_rsa(to_sign(envelope)),
            "SigningCertURL": self.certificate_url,
            "UnsubscribeURL": f"{HOST}/?Action=Unsubscribe&SubscriptionArn={SUBSCRIPTION}",
        }

    def post(self, events: Sequence[dict[str, Any]]) -> Post:
        (envelope,) = events
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "User-Agent": "Amazon Simple Notification Service Agent",
            "x-amz-sns-message-type": envelope["Type"],
            "x-amz-sns-message-id": envelope["MessageId"],
            "x-amz-sns-topic-arn": envelope["TopicArn"],
            "x-amz-sns-subscription-arn": SUBSCRIPTION,
        }
        return Post(json.dumps(envelope).encode(), headers)

    def tries_again(self, status: int | None) -> bool:
        # A client error is final for SNS: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
        return status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def to_sign(envelope: Mapping[str, str]) -> bytes:
    """Return the text that SNS signs. Each name and value is a line; names are sorted."""
    return "".join(f"{name}\n{envelope[name]}\n" for name in SIGNED_FIELDS if name in envelope).encode()


def _mail(entry: Entry) -> dict[str, Any]:
    tags = {
        "ses:configuration-set": ["mailroom"],
        "ses:from-domain": [bare(entry.sender).rpartition("@")[2]],
        "ses:caller-identity": ["mailroom"],
    }
    return {
        "timestamp": _stamp(datetime.fromisoformat(entry.accepted_at)),
        "source": entry.sender,
        "sourceArn": f"arn:aws:ses:eu-central-1:{ACCOUNT}:identity/{bare(entry.sender)}",
        "sendingAccountId": ACCOUNT,
        "messageId": entry.provider_message_id,
        "destination": [entry.to],
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in entry.headers.items()],
        "commonHeaders": {
            "from": [entry.sender],
            "to": [entry.to],
            "messageId": entry.provider_message_id,
            "subject": entry.subject,
        },
        "tags": {**tags, **{name: [value] for name, value in entry.tags.items()}},
    }


def _feedback_id(happening: Happening) -> str:
    return f"01070{happening.event_id.replace('-', '')[:11]}-{happening.event_id}-000000"


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
