"""Write a message in the caller's transaction, and publish its id after the commit."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Q

from notifications import kinds
from notifications.bounce_brake import brake
from notifications.conf import settings
from notifications.models import Message, transitions
from notifications.outbox import publish
from notifications.outbox.context import stored
from notifications.outbox.insert import insert
from notifications.rules.addresses import one_address
from notifications.rules.ids import time_ordered_id
from notifications.rules.states import Event, Status, Stream

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What to send, and to whom.

    `key` is the idempotency key: there is one message for one key. `id` is for a caller that needs the message's id in
    advance. `client` identifies the client whose request causes the message: the bounce brake treats clients fairly.
    """

    kind: str
    to: str
    user: AbstractBaseUser | None = None
    key: str = ""
    client: str = ""
    id: UUID | None = None
    context: dict[str, Any] = field(default_factory=dict)


def enqueue(draft: Draft, *, replay_dead: bool = False) -> Message:
    """Write one message, or return the message that already has the draft's key.

    `is_new` says which. An existing message does not change, but `replay_dead` replays a dead letter with the draft's
    context. Raises UnknownKindError, BadAddressError and BadContextError before it writes anything.
    """
    return _enqueue(_message(draft), draft, replay_dead=replay_dead)


def enqueue_copy(draft: Draft, original: Message) -> Message:
    message = _message(draft)
    message.resend_of = original
    return _enqueue(message, draft)


def _enqueue(message: Message, draft: Draft, *, replay_dead: bool = False) -> Message:
    while not _write([message]):
        if existing := Message.objects.filter(Q(idempotency_key=message.idempotency_key) | Q(id=message.id)).first():
            return _existing(existing, draft, replay_dead=replay_dead)
        # The existing message was anonymized in between, which freed its key.
    return message


def enqueue_many(drafts: Sequence[Draft]) -> list[Message]:
    """Write all messages in one transaction and return the new ones, in order. Raises as `enqueue` does."""
    messages = [_message(draft) for draft in drafts]
    with transaction.atomic(savepoint=False):
        return _write(messages)


def _existing(existing: Message, draft: Draft, *, replay_dead: bool) -> Message:
    if existing.status != Status.DEAD:
        return existing
    if replay_dead:
        dead = Message.objects.filter(id=existing.id, anonymized_at=None)
        transitions.apply(Event.REPLAYED, dead, context=stored(draft.context))
        existing.refresh_from_db()
    else:
        logger.warning("%s not enqueued: dead letter %s has its key; replay it", existing.kind, existing.id)
    return existing


def _write(messages: Sequence[Message]) -> list[Message]:
    held = brake.hold_back(messages)
    left = _left_to_relay(messages)
    written = insert(messages, held=held, due_streams=left)
    transitions.announce_new(written)
    due = [message for message in written if message.status == Status.QUEUED and message.id not in held]
    for stream in {Stream(message.stream) for message in due} - {Stream.BULK}:
        ids = [message.id for message in due if message.stream == stream] if stream not in left else []
        _publish_after_commit(ids, stream)
    return written


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
    return Message(
        id=message_id,
        kind=kind.name,
        stream=kind.stream,
        user=cast("Any", draft.user),
        # In one form, so that equal addresses compare as equal.
        to_address=one_address(draft.to).lower(),
        context=stored(draft.context),
        idempotency_key=draft.key or f"{kind.name}:{message_id}",
        slowed_for=draft.client[:32],
    )


def _publish_after_commit(message_ids: list[UUID], stream: Stream) -> None:
    def publish_ids() -> None:
        if message_ids:
            publish.publish_for_request([[message_id] for message_id in message_ids], stream)
        publish.check_queues()

    # No functools.partial: Django 5.2 cannot log its failure.
    transaction.on_commit(publish_ids, robust=True)
