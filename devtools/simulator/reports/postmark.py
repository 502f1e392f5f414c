"""Postmark's webhooks: one event per request, with basic authentication and no signature.

https://postmarkapp.com/developer/webhooks/webhooks-overview
"""

import base64
import json
import zlib
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from devtools.simulator.outcomes import Event
from devtools.simulator.reports.base import Happening, Post, Reports, bare

SERVER_ID = 23


def _returned(type_: str, number: int, name: str, description: str, *, inactive: bool) -> dict[str, Any]:
    return {
        "RecordType": "SpamComplaint" if type_ == "SpamComplaint" else "Bounce",
        "Type": type_,
        "TypeCode": number,
        "Name": name,
        "Description": description,
        "Details": description,
        "DumpAvailable": False,
        "Inactive": inactive,
        "CanActivate": inactive and type_ != "SpamComplaint",
    }


# Postmark does not report acceptance, and refuses emails to suppressed addresses when they are sent.
EVENTS: dict[Event, dict[str, Any] | None] = {
    Event.ACCEPTED: None,
    Event.DEFERRED: _returned(
        "Transient", 2, "Message delayed/Undeliverable", "451 4.7.1 Greylisted, try again later", inactive=False
    ),
    Event.DELIVERED: {"RecordType": "Delivery", "Details": "smtp;250 2.0.0 OK"},
    Event.BOUNCED: _returned("HardBounce", 1, "Hard bounce", "smtp;550 5.1.1 user unknown", inactive=True),
    Event.SOFT_BOUNCED: _returned("SoftBounce", 4096, "Soft bounce", "smtp;452 4.2.2 mailbox full", inactive=False),
    Event.COMPLAINED: _returned("SpamComplaint", 100001, "Spam complaint", "marked as spam", inactive=True),
    Event.AUTO_REPLIED: _returned("AutoResponder", 64, "Auto responder", "out of the office", inactive=False),
    Event.SUPPRESSED: None,
}


class PostmarkReports(Reports):
    # Postmark tries bounces ten times in 10.5 hours, and deliveries three times in 20 minutes. Here both are the same.
    pauses = (1, 5, 10, 10, 10, 15, 30, 60, 60, 60)

    def __init__(self, auth: str) -> None:
        # `auth`: user:password, or "".
        self.auth = auth

    def event(self, happening: Happening) -> dict[str, Any] | None:
        said = EVENTS[happening.event]
        entry = happening.entry
        if said is None:
            return None
        common = {
            "MessageID": entry.provider_message_id,
            "ServerID": SERVER_ID,
            "MessageStream": "outbound",
            "Tag": "",
            "Metadata": entry.metadata,
        }
        if said["RecordType"] == "Delivery":
            return {**said, **common, "Recipient": entry.to, "DeliveredAt": _stamp(happening.at)}
        return {
            **said,
            **common,
            # Unique for each bounce, and the same in a retry.
            "ID": zlib.crc32(happening.event_id.encode()),
            "Email": entry.to,
            "From": bare(entry.sender),
            "Subject": entry.subject,
            "BouncedAt": _stamp(happening.at),
        }

    def post(self, events: Sequence[dict[str, Any]]) -> Post:
        (event,) = events
        headers = {"Content-Type": "application/json", "User-Agent": "Postmark"}
        if self.auth:
            headers["Authorization"] = f"Basic {base64.b64encode(self.auth.encode()).decode()}"
        return Post(json.dumps(event).encode(), headers)

    def tries_again(self, status: int | None) -> bool:
        # https://postmarkapp.com/support/article/understanding-inbound-webhook-retries-in-postmark
        return status != HTTPStatus.FORBIDDEN


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
