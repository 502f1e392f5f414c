"""Write a message in the caller's transaction, and publish its id after the commit."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from notifications import kinds
from notifications.bounce_brake import brake
from notifications.models import Message, Suppression, transitions
from notifications.outbox import publish
from notifications.outbox.context import stored
from notifications.rules.addresses import one_address
from notifications.rules.states import Event, Status, Stream
from notifications.rules.suppression import Candidate, blocking_reason

logger = logging.getLogger(__name__)

#: How long after its enqueue the relay publishes a message that the request did not publish.
RELAY_AFTER = {
    Stream.CRITICAL: timedelta(seconds=5),
    Stream.DEFAULT: timedelta(seconds=10),
    # Only the relay publishes bulk: the backlog stays in PostgreSQL, and the broker's queue short.
    Stream.BULK: timedelta(0),
}


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
    """Write messages with one INSERT and return the new ones, in order. Raises as `enqueue` does."""
    return _write([_message(draft) for draft in drafts])


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
    _suppress(messages)
    with transaction.atomic():
        held = brake.hold_back([message for message in messages if message.status == Status.QUEUED])
        taken = _existing_ids(message for message in messages if message.has_given_id)
        for message in messages:
            # Personal data, which only the queue of the bounce brake needs.
            message.slowed_for = message.slowed_for if message.id in held else ""
        Message.objects.bulk_create(messages, ignore_conflicts=True, batch_size=1000)
        new = _existing_ids(messages) - taken
        written = [message for message in messages if message.id in new]
        transitions.announce_new(written)
        due = [message for message in written if message.status == Status.QUEUED and message.id not in held]
        for stream in {message.stream for message in due} - {Stream.BULK}:
            _publish_after_commit([message.id for message in due if message.stream == stream], Stream(stream))
    for message in written:
        message.is_new = True
    return written


def _existing_ids(messages: Iterable[Message]) -> set[UUID]:
    ids = [message.id for message in messages]
    return set(Message.objects.filter(id__in=ids).values_list("id", flat=True)) if ids else set()


def _suppress(messages: Sequence[Message]) -> None:
    # Messages to suppressed addresses are written too, so that operators can find them.
    suppressions = Suppression.objects.active(message.to_address for message in messages)
    for message in messages:
        kind = kinds.get(message.kind)
        found = suppressions.get(message.to_address, ())
        if reason := blocking_reason(found, Candidate(stream=kind.stream, may_recheck=kind.may_recheck)):
            transitions.suppress_new(message, f"the address is suppressed: {reason}")


def _message(draft: Draft) -> Message:
    kind = kinds.get(draft.kind)
    message_id = draft.id or uuid4()
    message = Message(
        id=message_id,
        kind=kind.name,
        stream=kind.stream,
        user=cast("Any", draft.user),
        # In one form, so that equal addresses compare as equal.
        to_address=one_address(draft.to).lower(),
        context=stored(draft.context),
        idempotency_key=draft.key or f"{kind.name}:{message_id}",
        slowed_for=draft.client[:32],
        expires_at=Now() + kind.max_age,
        # During the broker's cooldown, only the relay publishes.
        relay_after=Now() if publish.cooldown.active else Now() + RELAY_AFTER[kind.stream],
    )
    message.has_given_id = draft.id is not None
    return message


def _publish_after_commit(message_ids: list[UUID], stream: Stream) -> None:
    def publish_ids() -> None:
        publish.publish_for_request([[message_id] for message_id in message_ids], stream)

    # No functools.partial: Django 5.2 cannot log its failure.
    transaction.on_commit(publish_ids, robust=True)
