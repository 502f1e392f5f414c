"""Postmark's webhook: one event per request, with HTTP basic auth and no signature.

https://postmarkapp.com/developer/webhooks/webhooks-overview
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any

from notifications.providers.base.answers import refined_bounce
from notifications.providers.base.event_fields import (
    LONGEST_ID,
    detail,
    ours,
    recipient_address,
    section,
    short_line,
    utc_time,
)
from notifications.providers.base.payload import fingerprint, parsed, storable
from notifications.providers.base.webhook import (
    EventMeaning,
    InterpretedEvent,
    InvalidSignatureError,
    MalformedError,
    RawEvent,
    UnknownEventError,
    Webhook,
    WebhookBatch,
    WebhookRequest,
)
from notifications.providers.postmark.settings import settings
from notifications.rules.outcomes import BounceKind, EventType

# Opens and clicks are not about delivery; "Inbound" is an email to us, with its content.
LEFT_OUT = {"Open", "Click", "Inbound"}
# Fields that identify an event without a type, the most specific first.
KNOWN_BY = (
    ("SuppressSending", "SubscriptionChange"),
    ("OriginalLink", "Click"),
    ("FirstOpen", "Open"),
    ("ReadSeconds", "Open"),
    ("FromFull", "Inbound"),
    ("DeliveredAt", "Delivery"),
    ("Type", "Bounce"),
)
# In events about an address without a message.
NO_MESSAGE = "00000000-0000-0000-0000-000000000000"
# A bounce may include the whole original email with its links.
NEVER_STORED = {"Content", "Subject"}

Meaning = tuple[EventType, BounceKind | None]

BOUNCED_HARD: Meaning = (EventType.BOUNCED, BounceKind.HARD)
BOUNCED_SOFT: Meaning = (EventType.BOUNCED, BounceKind.SOFT)
BLOCKED: Meaning = (EventType.BOUNCED, BounceKind.BLOCKED)
ANSWERED: Meaning = (EventType.BOUNCED, BounceKind.AUTO_REPLY)
DEFERRED: Meaning = (EventType.DEFERRED, None)
COMPLAINED: Meaning = (EventType.COMPLAINED, None)
UNSUBSCRIBED: Meaning = (EventType.UNSUBSCRIBED, None)
REJECTED: Meaning = (EventType.REJECTED, None)

# https://postmarkapp.com/developer/api/bounce-api#bounce-types; None: not about delivery.
BOUNCE_TYPES: dict[str, Meaning | None] = {
    "HardBounce": BOUNCED_HARD,
    "Transient": DEFERRED,  # "Message delayed": Postmark tries again
    "Unsubscribe": UNSUBSCRIBED,
    "Subscribe": None,
    "AutoResponder": ANSWERED,
    "AddressChange": ANSWERED,
    "DnsError": DEFERRED,  # "A temporary DNS error"
    "SpamNotification": BLOCKED,  # a filter rejects one email; no recipient complains
    "OpenRelayTest": None,
    "Unknown": BOUNCED_SOFT,
    "SoftBounce": BOUNCED_SOFT,
    "VirusNotification": BLOCKED,
    "ChallengeVerification": ANSWERED,
    "BadEmailAddress": (EventType.REJECTED, BounceKind.HARD),
    "SpamComplaint": COMPLAINED,
    "ManuallyDeactivated": REJECTED,
    "Unconfirmed": REJECTED,
    "Blocked": BLOCKED,
    "SMTPApiError": REJECTED,
    "InboundError": None,
    "DMARCPolicy": REJECTED,  # the sender's fault: must not count against the address
    "TemplateRenderingFailed": REJECTED,
}
# https://postmarkapp.com/developer/webhooks/subscription-change-webhook
SUPPRESSION_REASONS: dict[str, Meaning] = {
    "HardBounce": BOUNCED_HARD,
    "SpamComplaint": COMPLAINED,
    "ManualSuppression": UNSUBSCRIBED,
}


class PostmarkWebhook(Webhook):
    provider = "postmark"
    setting_hint = "Set it to user:password."

    def missing_settings(self) -> list[str]:
        user, _, password = settings.POSTMARK_WEBHOOK_AUTH.partition(":")
        return [] if user and password else ["POSTMARK_WEBHOOK_AUTH"]

    def unusable_settings(self) -> list[str]:
        return self.missing_settings() if settings.POSTMARK_WEBHOOK_AUTH else []

    def bounce_types(self) -> Mapping[str, EventMeaning]:
        return BOUNCE_TYPES

    def verify_and_parse(self, request: WebhookRequest) -> WebhookBatch:
        self.require_settings()
        if not hmac.compare_digest(given_credentials(request), settings.POSTMARK_WEBHOOK_AUTH.encode()):
            raise InvalidSignatureError("wrong user or password, or none")
        event = storable(parsed(request.body))
        if not isinstance(event, dict):
            raise MalformedError("no event")
        if (record := record_type(event)) in LEFT_OUT:
            return WebhookBatch(note="inbound email is posted to this webhook" if record == "Inbound" else "")
        kept = {name: value for name, value in event.items() if name not in NEVER_STORED}
        return WebhookBatch([RawEvent(fingerprint(event), kept)])

    def interpret(self, payload: dict[str, Any]) -> InterpretedEvent | None:
        meaning = meaning_of(payload)
        if meaning is None:
            return None
        kind, bounce = meaning
        message_id, attempt = ours(section(payload, "Metadata"))
        receipt = short_line(payload.get("MessageID"), LONGEST_ID).replace(NO_MESSAGE, "")
        return InterpretedEvent(
            kind=kind,
            recipient=recipient_address(payload.get("Email") or payload.get("Recipient"), message_id, receipt),
            bounce=bounce,
            message_id=message_id,
            attempt=attempt,
            provider_message_id=receipt,
            occurred_at=utc_time(payload.get("BouncedAt") or payload.get("DeliveredAt") or payload.get("ChangedAt")),
            detail=detail(
                payload.get("Type") or payload.get("SuppressionReason"),
                payload.get("Details") or payload.get("Description"),
            ),
        )


def given_credentials(request: WebhookRequest) -> bytes:
    # Joined by a colon; empty if there are none.
    scheme, _, encoded = request.header("Authorization").partition(" ")
    try:
        return base64.b64decode(encoded.strip(), validate=True) if scheme.lower() == "basic" else b""
    except (ValueError, binascii.Error):
        return b""


def record_type(payload: dict[str, Any]) -> str:
    # Postmark's type, or the one that the fields imply; "" for neither.
    if "RecordType" in payload:
        return short_line(payload["RecordType"])
    return next((record for field, record in KNOWN_BY if field in payload), "")


def meaning_of(payload: dict[str, Any]) -> Meaning | None:
    """Return an event's meaning, None if it is not about delivery. Raises UnknownEventError."""
    record = record_type(payload)
    if record == "Delivery":
        return EventType.DELIVERED, None
    if record == "SpamComplaint":
        return COMPLAINED
    if record == "Bounce" and short_line(payload.get("Type")) in BOUNCE_TYPES:
        return refined_by_server(BOUNCE_TYPES[short_line(payload.get("Type"))], payload)
    if record == "SubscriptionChange":
        return subscription_change(payload)
    raise UnknownEventError("no table has this type of event")


def refined_by_server(meaning: Meaning | None, payload: dict[str, Any]) -> Meaning | None:
    # The recipient's server is more precise than Postmark's type.
    if meaning is None or meaning[0] is not EventType.BOUNCED or meaning[1] in {None, BounceKind.AUTO_REPLY}:
        return meaning
    return meaning[0], refined_bounce(meaning[1] or BounceKind.SOFT, short_line(payload.get("Details")))


def subscription_change(payload: dict[str, Any]) -> Meaning | None:
    # Operators remove addresses from the list, and add some that no recipient has asked for.
    if payload.get("SuppressSending") is not True:
        return None
    reason = short_line(payload.get("SuppressionReason"))
    if reason == "ManualSuppression" and short_line(payload.get("Origin")) != "Recipient":
        return None
    if reason not in SUPPRESSION_REASONS:
        raise UnknownEventError("no table has this reason to suppress")
    return SUPPRESSION_REASONS[reason]
