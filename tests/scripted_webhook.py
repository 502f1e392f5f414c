"""A webhook that believes everybody and whose events say what the test writes into them."""

import json
from datetime import datetime
from uuid import UUID

from notifications.providers.base.webhook import (
    Feedback,
    ForgedError,
    MalformedError,
    Opened,
    RawEvent,
    UnprovenError,
    UnreadableError,
    Webhook,
)
from notifications.rules.outcomes import BounceKind, FeedbackKind

TROUBLE = {"forged": ForgedError, "unproven": UnprovenError, "malformed": MalformedError}


class ScriptedWebhook(Webhook):
    provider = "scripted"

    def missing_settings(self):
        return []

    def open(self, posted):
        if error := TROUBLE.get(posted.headers.get("X-Trouble", "")):
            raise error("as the test says")
        return Opened([RawEvent(event["id"], event) for event in json.loads(posted.body)])

    def read(self, payload):
        if payload.get("unreadable"):
            raise UnreadableError("as the test says")
        if "kind" not in payload:
            return None
        return Feedback(
            kind=FeedbackKind(payload["kind"]),
            bounce=BounceKind(payload["bounce"]) if "bounce" in payload else None,
            also=FeedbackKind(payload["also"]) if "also" in payload else None,
            recipient=payload.get("recipient", ""),
            message_id=UUID(payload["message"]) if "message" in payload else None,
            header_id=UUID(payload["header"]) if "header" in payload else None,
            attempt=payload.get("attempt"),
            provider_message_id=payload.get("provider_message_id", ""),
            occurred_at=datetime.fromisoformat(payload["at"]) if "at" in payload else None,
            detail=payload.get("detail", ""),
        )
