"""A webhook that accepts every request, with events that a test writes."""

import json
from datetime import datetime
from uuid import UUID

from notifications.providers.base.webhook import (
    CannotVerifyError,
    InterpretedEvent,
    InvalidSignatureError,
    MalformedError,
    RawEvent,
    UnknownEventError,
    Webhook,
    WebhookBatch,
)
from notifications.rules.outcomes import BounceKind, EventType

ERRORS = {"forged": InvalidSignatureError, "unverifiable": CannotVerifyError, "malformed": MalformedError}


class ScriptedWebhook(Webhook):
    provider = "scripted"

    def missing_settings(self):
        return []

    def verify_and_parse(self, posted):
        if error := ERRORS.get(posted.headers.get("X-Trouble", "")):
            raise error("as scripted")
        return WebhookBatch([RawEvent(event["id"], event) for event in json.loads(posted.body)])

    def interpret(self, payload):
        if payload.get("unreadable"):
            raise UnknownEventError("as scripted")
        if "kind" not in payload:
            return None
        return InterpretedEvent(
            kind=EventType(payload["kind"]),
            bounce=BounceKind(payload["bounce"]) if "bounce" in payload else None,
            also=EventType(payload["also"]) if "also" in payload else None,
            recipient=payload.get("recipient", ""),
            message_id=UUID(payload["message"]) if "message" in payload else None,
            header_id=UUID(payload["header"]) if "header" in payload else None,
            attempt=payload.get("attempt"),
            provider_message_id=payload.get("provider_message_id", ""),
            occurred_at=datetime.fromisoformat(payload["at"]) if "at" in payload else None,
            detail=payload.get("detail", ""),
        )
