"""An email with everything that providers must keep apart, and files of several types."""

from email.header import decode_header, make_header
from typing import Any
from uuid import uuid4

from notifications.providers.base.sending import OutgoingEmail
from notifications.rules.content import Attachment

# Part of everything that a provider receives: keys, address, name, subject, both bodies.
CANARY = "canary"
SUBJECT = "Grüße, with a comma and a canary"
# As long as for the longest usual address.
UNSUBSCRIBE = f"<https://mail.example.com/unsubscribe/{'x' * 400}/>"
EMAIL_IN_EMAIL = b"Subject: canary\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
FILES = (
    Attachment("rechnung für canary.pdf", bytes(range(256)) * 40),
    Attachment("lines.csv", "a,b\r\ncanary,ü\r\n".encode(), "text/csv"),
    Attachment("not-utf-8.txt", b"\xff\xfe canary", "text/plain"),
    Attachment("logo.png", b"\x89PNG canary", "image/png", "logo@example.com"),
)


def outgoing(**changes: Any) -> OutgoingEmail:
    values = {
        "message_id": uuid4(),
        "attempt": 3,
        "from_email": "Shop <shop@example.com>",
        "to_address": "ada.canary@example.com",
        "to_name": "Ada, Canary 🎩",
        "subject": SUBJECT,
        "text": "Hello\nAda & canary",
        "html": "<p>Hello Ada &amp; canary</p>",
        "headers": {
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "OOF, AutoReply",
            "Message-ID": "<1@example.com>",
            "List-Unsubscribe": UNSUBSCRIBE,
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    }
    return OutgoingEmail(**{**values, **changes})


def as_shown(text: str) -> str:
    """Return a header's text as a program shows it to the recipient."""
    return str(make_header(decode_header(text)))
