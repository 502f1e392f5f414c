"""Write a message in the caller's transaction, and publish its id after the commit."""

import logging
from collections import Counter
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from notifications import kinds
from notifications.bounce_brake import brake
from notifications.conf import settings
from notifications.models import Message, transitions
from notifications.outbox import publish
from notifications.outbox.content import replace_content, require_same, write_contents
from notifications.outbox.context import stored
from notifications.outbox.draft import Draft, checked_content, checked_origin, recipients_of
from notifications.outbox.insert import insert
from notifications.providers.base import given
from notifications.rules.content import Content
from notifications.rules.ids import time_ordered_id
from notifications.rules.states import Event, Status, Stream

logger = logging.getLogger(__name__)


def enqueue(draft: Draft, *, replay_dead: bool = False) -> Message:
    """Write one message, or return the message that already has the draft's key.

    `is_new` says which. An existing message does not change, but `replay_dead` replays a dead letter with the draft's
    context and content. Raises UnknownKindError, BadAddressError, BadContextError and BadContentError before it writes
    anything, and KeyConflictError if the message with the key has another kind, recipient, account, context or content.
    """
    message = _message(draft)
    existing = find_or_write(message)
    if existing.is_new:
        return existing
    if existing.status == Status.DEAD and replay_dead:
        return _replay(existing, message)
    if existing.idempotency_key == draft.key:
        require_same(existing, message)
    return _warned(existing)


def enqueue_copy(draft: Draft, original: Message, content: Content | None = None) -> Message:
    # With the content of the original, which was checked before.
    message = _message(draft)
    message.content, message.has_content = content, content is not None
    message.resend_of = original
    return _warned(find_or_write(message))


def find_or_write(message: Message) -> Message:
    while not write_messages([message]):
        if existing := Message.objects.filter(Q(idempotency_key=message.idempotency_key) | Q(id=message.id)).first():
            return existing
        # The existing message was anonymized in between, which freed its key.
    return message


def enqueue_many(drafts: Sequence[Draft]) -> list[Message]:
    """Write all messages in one transaction and return the new ones, in order.

    Drafts whose keys exist are left out, whatever their content. Otherwise raises as `enqueue` does.
    """
    messages = [_message(draft) for draft in drafts]
    with transaction.atomic(savepoint=False):
        return write_messages(messages)


def _replay(existing: Message, message: Message) -> Message:
    dead = Message.objects.filter(id=existing.id, anonymized_at=None)
    with transaction.atomic(savepoint=False):
        changes = {"context": message.context, "has_content": message.has_content}
        if transitions.apply(Event.REPLAYED, dead, **changes) and (existing.has_content or message.has_content):
            replace_content(existing, message.content)
    existing.refresh_from_db()
    return existing


def _warned(message: Message) -> Message:
    if message.status == Status.DEAD and not message.is_new:
        logger.warning("%s not enqueued: dead letter %s has its key; replay it", message.kind, message.id)
    return message


def write_messages(messages: Sequence[Message]) -> list[Message]:
    if not any(message.has_content for message in messages):
        return _write_rows(messages)
    # No process sees a message before its content.
    with transaction.atomic(savepoint=False):
        written = _write_rows(messages)
        write_contents(written)
    return written


def _write_rows(messages: Sequence[Message]) -> list[Message]:
    held = brake.hold_back(messages)
    left = _left_to_relay(messages)
    written = insert(messages, held=held, due_streams=left)
    transitions.announce_new(written)
    due = [message for message in written if _is_due(message) and message.id not in held]
    for stream in {Stream(message.stream) for message in due} - {Stream.BULK}:
        mine = [transitions.Changed(id=each.id, kind=each.kind) for each in due if each.stream == stream]
        _publish_after_commit(mine, stream, is_left=stream in left)
    return written


def _is_due(message: Message) -> bool:
    # The relay publishes a scheduled message when it is due.
    return message.status == Status.QUEUED and message.due_at <= message.created_at


def _left_to_relay(messages: Sequence[Message]) -> set[Stream]:
    # What the relay publishes and this process does not: everything during the broker's cooldown, and bursts.
    if publish.cooldown.active:
        return set(Stream)
    counts = Counter(Stream(message.stream) for message in messages)
    bursts = {stream for stream, count in counts.items() if count > settings.RELAY_HIGH_WATER}
    return {Stream.BULK} | bursts | publish.lengths.long_queues()


def _message(draft: Draft) -> Message:
    kind = kinds.get(draft.kind)
    message_id = draft.id or time_ordered_id()
    (user, client), to = checked_origin(draft), recipients_of(draft)
    message = Message(
        id=message_id,
        kind=kind.name,
        stream=kind.stream,
        user=user,
        # In one form, so that equal addresses compare as equal.
        to_address=to[0].address.lower(),
        context=stored(draft.context),
        idempotency_key=given.idempotency_key(draft.key) or f"{kind.name}:{message_id}",
        slowed_for=client,
        send_at=draft.send_at,
    )
    message.content = checked_content(draft, to, kind)
    message.has_content = message.content is not None
    return message


def _publish_after_commit(messages: Sequence[publish.Publishable], stream: Stream, *, is_left: bool) -> None:
    def publish_ids() -> None:
        if not is_left:
            publish.publish_for_request([[message] for message in messages], stream)
        publish.check_queues(len(messages))

    # No functools.partial: Django 5.2 cannot log its failure.
    transaction.on_commit(publish_ids, robust=True)
