"""SendGrid's webhook: batches of signed events.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from notifications.providers.base.answers import refined_bounce
from notifications.providers.base.event_fields import (
    LONGEST_ID,
    detail,
    header_id,
    ours,
    recipient_address,
    short_line,
    utc_time,
)
from notifications.providers.base.payload import fingerprint, parsed, refuse_stale, storable
from notifications.providers.base.webhook import (
    CannotVerifyError,
    EventMeaning,
    InterpretedEvent,
    InvalidSignatureError,
    MalformedError,
    OversizedError,
    RawEvent,
    UnknownEventError,
    Webhook,
    WebhookBatch,
    WebhookRequest,
)
from notifications.providers.sendgrid.settings import settings
from notifications.rules.outcomes import BounceKind, EventType

SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"
TIMESTAMP = re.compile(r"\d{1,11}", re.ASCII)
EVENT_ID = re.compile(r"[\x21-\x7e]{1,200}")

LEFT_OUT = {"open", "click"}
ACCOUNT = "account_status_change"

# None: not about delivery.
KINDS: dict[str, EventType | None] = {
    "processed": EventType.ACCEPTED,
    "deferred": EventType.DEFERRED,
    "delivered": EventType.DELIVERED,
    "bounce": EventType.BOUNCED,
    "dropped": EventType.REJECTED,
    "spamreport": EventType.COMPLAINED,
    "unsubscribe": EventType.UNSUBSCRIBED,
    "group_unsubscribe": EventType.UNSUBSCRIBED,
    "group_resubscribe": None,
    ACCOUNT: None,
}
BOUNCES = {"bounce": BounceKind.HARD, "blocked": BounceKind.SOFT}
INVALID_ADDRESS = "Invalid Address"
# About the sender or this email, not about the mailbox.
ABOUT_THE_SENDER = {"Content", "Reputation"}
# Dropped because of the address, which is on a list of SendGrid: it will drop other emails to it too. The other reasons
# (over quota, spam content …) are not about the address.
DROPPED_FOR_THE_ADDRESS = {"bounced address", "invalid"}
# Dropped because of an earlier complaint or unsubscription.
DROPPED_FOR_THE_PERSON = {
    "spam reporting address": EventType.COMPLAINED,
    "unsubscribed address": EventType.UNSUBSCRIBED,
}


class SendGridWebhook(Webhook):
    provider = "sendgrid"
    key_setting = "SENDGRID_WEBHOOK_KEY"
    # Batches have up to 768 kB; the signature is verified before one is parsed.
    max_bytes = 5_000_000

    def key_text(self) -> str:
        return settings.SENDGRID_WEBHOOK_KEY

    def missing_settings(self) -> list[str]:
        return [] if self.key_text() else [self.key_setting]

    def unusable_settings(self) -> list[str]:
        try:
            public_key(self.key_text())
        except (ValueError, UnsupportedAlgorithm):
            return [] if self.missing_settings() else [self.key_setting]
        return []

    def bounce_types(self) -> Mapping[str, EventMeaning]:
        found = BOUNCES | dict.fromkeys(sorted(ABOUT_THE_SENDER), BounceKind.BLOCKED)
        return {name: (EventType.BOUNCED, bounce) for name, bounce in found.items()}

    def verify_and_parse(self, request: WebhookRequest) -> WebhookBatch:
        self.require_settings()
        self.verify_signature(request)
        batch = parsed(request.body)
        if not isinstance(batch, list):
            raise MalformedError("no batch of events")
        if len(batch) > self.max_events:
            raise OversizedError(f"{len(batch)} events")
        events = [event for event in map(raw_event, batch) if event is not None]
        return WebhookBatch(events, note=account_note(events))

    def verify_signature(self, request: WebhookRequest) -> None:
        """Raises InvalidSignatureError and CannotVerifyError."""
        timestamp = request.header(TIMESTAMP_HEADER)
        if not TIMESTAMP.fullmatch(timestamp):
            raise InvalidSignatureError("no timestamp")
        try:
            signature = base64.b64decode(request.header(SIGNATURE_HEADER), validate=True)
            self.key().verify(signature, timestamp.encode() + request.body, ec.ECDSA(hashes.SHA256()))
        except (ValueError, binascii.Error, InvalidSignature) as error:
            raise InvalidSignatureError("the signature is wrong") from error
        refuse_stale(datetime.fromtimestamp(int(timestamp), UTC))

    def key(self) -> ec.EllipticCurvePublicKey:
        # An operator can fix an unusable key while SendGrid retries: CannotVerifyError.
        try:
            return public_key(self.key_text())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise CannotVerifyError(f"{self.key_setting} is not a public key for P-256") from error

    def interpret(self, payload: dict[str, Any]) -> InterpretedEvent | None:
        event = short_line(payload.get("event"))
        if event not in KINDS:
            raise UnknownEventError("no table has this type of event")
        kind = KINDS[event]
        if kind is None:
            return None
        message_id, attempt = ours(payload)
        header = header_id(payload.get("smtp-id"))
        # The event has Anymail's id of the email, which is also its receipt; SendGrid's id differs from it.
        receipt = short_line(payload.get("anymail_id"), LONGEST_ID)
        return InterpretedEvent(
            kind=kind,
            recipient=recipient_address(payload.get("email"), message_id, header, receipt),
            bounce=bounce_kind(kind, payload),
            also=DROPPED_FOR_THE_PERSON.get(reason(payload)) if kind is EventType.REJECTED else None,
            message_id=message_id,
            header_id=header,
            attempt=attempt,
            provider_message_id=receipt or short_line(payload.get("sg_message_id"), LONGEST_ID),
            is_strange=not (message_id or receipt),
            occurred_at=utc_time(payload.get("timestamp")),
            detail=detail(payload.get("bounce_classification"), payload.get("reason") or payload.get("response")),
        )


@lru_cache(maxsize=4)
def public_key(text: str) -> ec.EllipticCurvePublicKey:
    """Return a key in PEM, or in SendGrid's base64. Raises ValueError and UnsupportedAlgorithm."""
    if text.lstrip().startswith("-----BEGIN"):
        key = serialization.load_pem_public_key(text.strip().encode())
    else:
        key = serialization.load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("a key of another type")  # noqa: TRY004 - the text is wrong, not its type
    return key


def raw_event(element: Any) -> RawEvent | None:
    """Return an element of a batch in the form to store, or None.

    Keeps an element that is not an event, so that an operator can see it and the rest of its batch is stored.
    """
    kept = storable(element)
    if not isinstance(kept, dict):
        return RawEvent(fingerprint(kept), {"malformed": kept})
    if short_line(kept.get("event")) in LEFT_OUT:
        return None
    given = kept.get("sg_event_id")
    event_id = given if isinstance(given, str) and EVENT_ID.fullmatch(given) else fingerprint(kept)
    # The link that unsubscribed.
    kept.pop("url", None)
    return RawEvent(event_id, kept)


def account_note(events: list[RawEvent]) -> str:
    # For an operator: SendGrid has changed the account.
    changes = [event.payload for event in events if short_line(event.payload.get("event")) == ACCOUNT]
    return f"SendGrid changed the account's status: {short_line(changes[0].get('type'), 60)}" if changes else ""


def reason(payload: dict[str, Any]) -> str:
    return short_line(payload.get("reason")).lower()


def bounce_kind(kind: EventType, payload: dict[str, Any]) -> BounceKind | None:
    if kind is EventType.REJECTED:
        return BounceKind.HARD if reason(payload) in DROPPED_FOR_THE_ADDRESS else None
    if kind is not EventType.BOUNCED:
        return None
    reported = BOUNCES.get(short_line(payload.get("type")).lower()) or untyped_bounce(payload)
    if short_line(payload.get("bounce_classification")) in ABOUT_THE_SENDER:
        reported = BounceKind.BLOCKED
    return refined_bounce(reported, short_line(payload.get("reason")), short_line(payload.get("status")))


def untyped_bounce(payload: dict[str, Any]) -> BounceKind:
    # Hard only if the classification is about the address.
    return BounceKind.HARD if payload.get("bounce_classification") == INVALID_ADDRESS else BounceKind.SOFT
