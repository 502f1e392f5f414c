"""Write stored contents, and compare them with those of existing messages."""

from collections.abc import Iterator, Sequence

from django.db.models import BooleanField, ExpressionWrapper, Q

from notifications.models import Message, MessageContent
from notifications.rules.content import Content, digest, packed


class KeyConflictError(ValueError):
    """A message with the same key has another content. The text names what differs, never its value."""


def write_contents(messages: Sequence[Message]) -> None:
    rows = [_row(message, message.content) for message in messages if message.content]
    MessageContent.objects.bulk_create(rows)


def replace_content(message: Message, content: Content | None) -> None:
    MessageContent.objects.filter(message=message.id).delete()
    if content:
        MessageContent.objects.bulk_create([_row(message, content)])


def require_same(existing: Message, message: Message) -> None:
    """Raise KeyConflictError if the message that has the key differs."""
    if differing := list(_differing(existing, message)):
        raise KeyConflictError(f"a message with this key has another {' and '.join(differing)}")


def _differing(existing: Message, message: Message) -> Iterator[str]:
    if existing.kind != message.kind:
        yield "kind"
    if existing.to_address != message.to_address:
        yield "recipient"
    if existing.user_id != message.user_id:
        yield "account"
    # The database stores numbers in one form only.
    same = ExpressionWrapper(Q(context=message.context), output_field=BooleanField())
    found = Message.objects.filter(id=existing.id).values_list(same, "stored_content__digest").first()
    is_same, stored = found or (True, None)
    if not is_same:
        yield "context"
    if (stored or "") != (digest(message.content) if message.content else ""):
        yield "content"


def _row(message: Message, content: Content) -> MessageContent:
    return MessageContent(
        message_id=message.id,
        packed=packed(content),
        further=[one.address.lower() for one in content.further],
        digest=digest(content),
    )
