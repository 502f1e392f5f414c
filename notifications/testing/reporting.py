"""Let the provider of a test report what happened to an email."""

from dataclasses import replace
from enum import StrEnum
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

from notifications.events import ingest
from notifications.events.apply import read_due
from notifications.providers.base.compose import ATTEMPT_KEY
from notifications.providers.base.webhook import (
    InterpretedEvent,
    InvalidSignatureError,
    RawEvent,
    Webhook,
    WebhookBatch,
    WebhookRequest,
)
from notifications.providers.recording.backend import Recording
from notifications.providers.registry import PROVIDERS
from notifications.rules.outcomes import BounceKind, EventType
from notifications.testing.delivering import call_receivers, idle_limit_kept
from notifications.testing.sent import SentEmail


class ReportedOutcome(StrEnum):
    """What the provider reports: what a test passes to `report`."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"  # the recipient's server is slow; the provider tries again
    BOUNCED = "bounced"  # the mailbox does not exist: the address is suppressed
    SOFT_BOUNCE = "soft bounce"  # the mailbox is full
    REJECTED = "rejected"  # the provider dropped it
    COMPLAINED = "complained"  # the recipient marked it as spam: the address is suppressed
    UNSUBSCRIBED = "unsubscribed"  # the recipient gets no bulk email any more


_BOUNCES = {ReportedOutcome.BOUNCED: BounceKind.HARD, ReportedOutcome.SOFT_BOUNCE: BounceKind.SOFT}


class ReportingWebhook(Webhook):
    """Interprets what `report_outcome` stores. It exists during that call only, and refuses every request."""

    provider = Recording.name

    def missing_settings(self) -> list[str]:
        return []

    def verify_and_parse(self, request: WebhookRequest) -> WebhookBatch:
        raise InvalidSignatureError("only tests report for this provider")

    def interpret(self, payload: dict[str, Any]) -> InterpretedEvent | None:
        report = ReportedOutcome(payload["report"])
        bounce = _BOUNCES.get(report)
        return InterpretedEvent(
            kind=EventType.BOUNCED if bounce else EventType(report.value),
            bounce=bounce,
            recipient=payload["recipient"],
            message_id=UUID(payload["message"]),
            attempt=payload["attempt"],
        )


def report_outcome(email: SentEmail, report: ReportedOutcome | str, *, to: str = "") -> None:
    """Store and apply the report, then call the receivers. Raises ValueError for an unknown report."""
    payload = {
        "report": ReportedOutcome(report).value,
        "recipient": (to or email.to[0]).lower(),
        "message": str(email.message.id),
        "attempt": int(email.email.metadata[ATTEMPT_KEY]),  # type: ignore[attr-defined] # Anymail's
    }
    reporting = replace(PROVIDERS[Recording.name], webhook=ReportingWebhook)
    with patch.dict(PROVIDERS, {Recording.name: reporting}), idle_limit_kept():
        ingest.store(Recording.name, [RawEvent(str(uuid4()), payload)])
        while read_due():
            pass
        call_receivers()
