"""SendGrid's event webhook: signed batches of events.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
"""

import json
import time
from collections.abc import Sequence
from typing import Any

from devtools.simulator.outcomes import Event
from devtools.simulator.reports.base import Happening, Post, Reports
from devtools.simulator.signing import Keys

# SendGrid does not receive out-of-office replies: they go to the sender's mailbox.
EVENTS: dict[Event, dict[str, Any] | None] = {
    Event.ACCEPTED: {"event": "processed"},
    Event.DEFERRED: {"event": "deferred", "response": "451 4.7.1 Greylisted, try again later", "attempt": "1"},
    Event.DELIVERED: {"event": "delivered", "response": "250 2.0.0 OK", "ip": "192.0.2.1", "tls": 1},
    Event.BOUNCED: {
        "event": "bounce",
        "type": "bounce",
        "bounce_classification": "Invalid Address",
        "status": "5.1.1",
        "reason": "550 5.1.1 The email account that you tried to reach does not exist",
    },
    Event.SOFT_BOUNCED: {
        "event": "bounce",
        "type": "blocked",
        "bounce_classification": "Mailbox Unavailable",
        "status": "4.2.2",
        "reason": "452 4.2.2 The email account that you tried to reach is over quota",
    },
    Event.COMPLAINED: {"event": "spamreport"},
    Event.AUTO_REPLIED: None,
    Event.SUPPRESSED: {"event": "dropped", "reason": "Bounced Address", "status": "5.0.0"},
}


class SendGridReports(Reports):
    most_events = 1000
    # SendGrid retries for 24 hours.
    pauses = (1, 2, 4, 8, 15, 30, 60, 60, 60, 60)

    def __init__(self, keys: Keys) -> None:
        self.keys = keys

    def event(self, happening: Happening) -> dict[str, Any] | None:
        said = EVENTS[happening.event]
        entry = happening.entry
        if said is None:
            return None
        return {
            **entry.metadata,
            "email": entry.to,
            "timestamp": int(happening.at.timestamp()),
            "smtp-id": f"<{entry.provider_message_id}@geopod-ismtpd-0>",
            "sg_event_id": happening.event_id,
            "sg_message_id": f"{entry.provider_message_id}.recvd-0-1-{entry.seq:X}.0",
            **said,
        }

    def post(self, events: Sequence[dict[str, Any]]) -> Post:
        body = json.dumps(list(events)).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "SendGrid Event API",
            "X-Twilio-Email-Event-Webhook-Signature": self.keys.sign_curve(timestamp.encode() + body),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }
        return Post(body, headers)
