"""An email as the provider of a test got it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.mime.base import MIMEBase
from email.utils import getaddresses
from typing import Any
from uuid import UUID

from django.core.mail import EmailMessage

from notifications.models import Message
from notifications.providers.base.compose import MESSAGE_ID_KEY
from notifications.rules.content import Attachment


@dataclass(frozen=True, kw_only=True)
class SentEmail:
    """An email that the provider accepted. `to`, `cc` and `bcc` are bare addresses.

    `email` is Django's object, as in `django.core.mail.outbox`; `message` is the row.
    """

    kind: str
    subject: str
    text: str
    html: str
    to: list[str]
    cc: list[str]
    bcc: list[str]
    from_email: str
    headers: Mapping[str, str]
    attachments: list[Attachment]
    email: EmailMessage = field(repr=False, compare=False)
    message: Message = field(repr=False, compare=False)


def sent_emails(accepted: Iterable[EmailMessage]) -> list[SentEmail]:
    emails = [(_message_id(email), email) for email in accepted]
    rows = Message.objects.in_bulk([message_id for message_id, _ in emails])
    return [_sent(email, rows[message_id]) for message_id, email in emails if message_id in rows]


def _message_id(email: EmailMessage) -> UUID:
    metadata: dict[str, str] = email.metadata  # type: ignore[attr-defined] # Anymail's
    return UUID(metadata[MESSAGE_ID_KEY])


def _sent(email: EmailMessage, row: Message) -> SentEmail:
    html = [one.content for one in getattr(email, "alternatives", ()) if one.mimetype == "text/html"]
    return SentEmail(
        kind=row.kind,
        subject=str(email.subject),
        text=str(email.body),
        html=str(html[0]) if html else "",
        to=_bare(email.to),
        cc=_bare(email.cc),
        bcc=_bare(email.bcc),
        from_email=email.from_email,
        headers=email.extra_headers,
        attachments=[_file(one) for one in email.attachments],
        email=email,
        message=row,
    )


def _file(attached: Any) -> Attachment:
    # A MIME part, or Django's tuple of a name, its content and its type.
    if isinstance(attached, MIMEBase):
        content_id = str(attached.get("Content-ID", "")).strip("<>")
        payload = attached.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else attached.as_bytes()
        return Attachment(attached.get_filename("") or "", content, attached.get_content_type(), content_id)
    name, content, mimetype = attached
    return Attachment(name or "", content.encode() if isinstance(content, str) else content, mimetype or "")


def _bare(people: Iterable[Any]) -> list[str]:
    return [address for _, address in getaddresses([str(one) for one in people])]
