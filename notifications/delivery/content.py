"""Read what claimed messages have beyond their rows, without suppressed recipients."""

import logging
import zlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import connection

from notifications.models import Message, MessageContent
from notifications.rules.addresses import NamedAddress
from notifications.rules.content import Content, unpacked
from notifications.rules.states import Stream
from notifications.rules.suppression import Reason

logger = logging.getLogger(__name__)

# The first recipient's suppressions decide whether the message is sent; they are among the facts. OFFSET 0: each row is
# found by its id or address, whatever the statistics say about the tables.
_READ = """
SELECT asked.id, stored.packed, stored.left_out::json, (
    SELECT coalesce(json_agg(one.address), '[]') FROM jsonb_array_elements_text(stored.further) AS one (address)
    WHERE EXISTS (
        SELECT FROM notifications_suppression AS listed
        WHERE listed.address = one.address AND listed.lifted_at IS NULL
          AND (listed.reason <> %(unsubscribed)s OR asked.is_bulk)
        OFFSET 0
    )
)
FROM unnest(%(ids)s::uuid[], %(are_bulk)s::bool[]) AS asked (id, is_bulk)
CROSS JOIN LATERAL (SELECT * FROM notifications_messagecontent WHERE message_id = asked.id OFFSET 0) AS stored
"""


class NoContentError(LookupError):
    """The stored content of a message is gone, or cannot be read."""


def load_contents(messages: Sequence[Message]) -> None:
    """Read the contents of those that have one, without suppressed recipients: one statement, or none.

    Notes who is left out, for operators.
    """
    having = {message.id: message for message in messages if message.has_content}
    if not having:
        return
    asked: dict[str, Any] = {
        "ids": list(having),
        "are_bulk": [message.stream == Stream.BULK for message in having.values()],
        "unsubscribed": Reason.UNSUBSCRIBED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_READ, asked)
        found = cursor.fetchall()
    for message_id, packed, left_out, suppressed in found:
        content = _readable(message_id, packed)
        having[message_id].content = content and without(content, set(suppressed))
        if sorted(left_out) != sorted(suppressed):
            MessageContent.objects.filter(message=message_id).update(left_out=suppressed)


def content_of(message: Message) -> Content:
    """Return the content of a message, empty for most. Raises NoContentError."""
    if not message.has_content:
        return Content()
    if message.content is None:
        # No worker has read it: this is for a preview or a forecast.
        stored = MessageContent.objects.filter(message=message.id).values_list("packed", flat=True).first()
        message.content = _readable(message.id, stored)
    if message.content is None:
        raise NoContentError
    return message.content


def without(content: Content, suppressed: Collection[str]) -> Content:
    """Return the content without these recipients, who are in lower case."""
    if not suppressed:
        return content

    def rest(people: Sequence[NamedAddress]) -> tuple[NamedAddress, ...]:
        return tuple(one for one in people if one.address.lower() not in suppressed)

    return replace(content, to=rest(content.to), cc=rest(content.cc), bcc=rest(content.bcc))


def _readable(message_id: UUID, packed: Any) -> Content | None:
    # One that cannot be read concerns its message only.
    try:
        return unpacked(bytes(packed)) if packed is not None else None
    except (zlib.error, ValueError, TypeError, LookupError) as error:
        logger.warning("the content of message %s cannot be read (%s)", message_id, type(error).__name__)
        return None
