"""Write Django's EmailMessages as messages of the kind `email`."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.core.mail import EmailMessage
from django.db import transaction

from notifications import kinds
from notifications.conf import settings
from notifications.models import Message, Suppression
from notifications.outbox.content import require_same
from notifications.outbox.enqueue import find_or_write, write_messages
from notifications.providers.base import given
from notifications.providers.base.email_message import scheduled_for, stored_email
from notifications.providers.base.given import BadContentError
from notifications.rules.addresses import NamedAddress
from notifications.rules.content import Content
from notifications.rules.ids import time_ordered_id
from notifications.rules.states import Stream
from notifications.rules.suppression import Reason

KIND = "email"
#: The start of the headers that an author gives to Mailroom. They are not sent.
HEADER_START = "x-mailroom-"


@dataclass(frozen=True, kw_only=True)
class EmailTerms:
    """How an email is sent. What is empty comes from the kind `email`; `send_at` is now."""

    stream: str = ""
    key: str = ""
    send_at: datetime | None = None


def enqueue_finished(emails: Sequence[tuple[EmailMessage, EmailTerms]]) -> list[Message]:
    """Write the emails in one transaction. Return the message of each, which may already have its key.

    Raises before anything is written: BadContentError, what `stored_email` raises, and KeyConflictError if the message
    with the key has another content.
    """
    contents = [finished(*one) for one in emails]
    messages = unwritten(contents)
    with transaction.atomic() if len(messages) > 1 else nullcontext():
        new = {message.id for message in write_messages(messages)}
        return [
            message if message.id in new else _existing(message, content)
            for message, (content, _) in zip(messages, contents, strict=True)
        ]


def finished(email: EmailMessage, terms: EmailTerms) -> tuple[Content, EmailTerms]:
    """Return the content of an email and its terms, with those of its headers. Raises as `enqueue_finished` does."""
    email, terms = _with_headers(email, terms)
    return _checked(stored_email(email)), terms


def unwritten(contents: Sequence[tuple[Content, EmailTerms]], kind: str = KIND) -> list[Message]:
    blocked = _suppressed([content for content, _ in contents])
    return [_message(kind, content, terms, blocked) for content, terms in contents]


def _existing(message: Message, content: Content) -> Message:
    existing = find_or_write(message)
    if not existing.is_new:
        # Another recipient may have been the first, because suppressions were others.
        _put_first(message, content, {one.address.lower() for one in content.further} - {existing.to_address})
        require_same(existing, message)
    return existing


def _message(kind: str, content: Content, terms: EmailTerms, blocked: Mapping[str, str]) -> Message:
    message_id = time_ordered_id()
    message = Message(
        id=message_id,
        kind=kind,
        stream=terms.stream or kinds.get(kind).stream,
        idempotency_key=terms.key or f"{kind}:{message_id}",
        send_at=terms.send_at,
        has_content=True,
    )
    # Unsubscribed recipients get all but bulk.
    gets_all = message.stream != Stream.BULK
    _put_first(message, content, {one for one, why in blocked.items() if not (gets_all and why == Reason.UNSUBSCRIBED)})
    return message


def _put_first(message: Message, content: Content, blocked: Collection[str]) -> None:
    # The message's status and outcome are about this recipient. Suppressed ones do not keep it from the others.
    people = content.further
    first = next((one for one in people if one.address.lower() not in blocked), people[0])
    message.to_address = first.address.lower()
    message.content = _without_first(content, first)


def _without_first(content: Content, first: NamedAddress) -> Content:
    known = {first.address.lower()}
    lists: dict[str, Any] = {}
    for name in ("to", "cc", "bcc"):
        rest = {one.address.lower(): one for one in getattr(content, name)}
        lists[name] = tuple(one for address, one in rest.items() if address not in known)
        known |= rest.keys()
    return replace(content, to_name=first.name, **lists)


def _suppressed(contents: Sequence[Content]) -> Mapping[str, str]:
    # By address, the reason. One statement, and none for emails to one recipient.
    several = [content for content in contents if len(content.further) > 1]
    if not several:
        return {}
    asked = {one.address.lower() for content in several for one in content.further}
    listed = Suppression.objects.in_force(sorted(asked)).values_list("address", "reason")
    # An address may have several: any other than this one is for all streams.
    return dict(sorted(listed, key=lambda one: one[1] != Reason.UNSUBSCRIBED))


def _checked(content: Content) -> Content:
    if content.size > settings.EMAIL_MAX_BYTES:
        raise BadContentError(f"its files and text have {content.size} bytes; EMAIL_MAX_BYTES allows less")
    return content


def _with_headers(email: EmailMessage, terms: EmailTerms) -> tuple[EmailMessage, EmailTerms]:
    """Return the email without our headers, and the terms with their values. Raises BadContentError."""
    ours = {name: value for name, value in email.extra_headers.items() if str(name).lower().startswith(HEADER_START)}
    if (at := scheduled_for(email)) is not None:
        terms = replace(terms, send_at=at)
    if ours:
        email = copy(email)
        email.extra_headers = {name: value for name, value in email.extra_headers.items() if name not in ours}
    for name, value in ours.items():
        terms = replace(terms, **_term(str(name).lower().removeprefix(HEADER_START), value))
    _check(terms)
    return email, terms


def _term(name: str, value: Any) -> dict[str, Any]:
    match name:
        case "stream" | "key":
            return {name: str(value)}
        case "send-at":
            return {"send_at": value if isinstance(value, datetime) else _time(str(value))}
    raise BadContentError(f"there is no header {HEADER_START}{name}; there are stream, key and send-at")


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise BadContentError("send_at must be a time like 2026-12-24T18:00:00+01:00") from None


def _check(terms: EmailTerms) -> None:
    if terms.stream and terms.stream not in Stream.values:
        raise BadContentError(f"stream must be one of {', '.join(Stream.values)}")
    given.idempotency_key(terms.key)
    if terms.send_at is not None:
        given.moment("send_at", terms.send_at)
