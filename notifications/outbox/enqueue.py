"""Write the row in the caller's transaction; publish its id after the commit."""

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

# After this long the relay publishes what the request itself could not.
RELAY_AFTER = {
    Stream.CRITICAL: timedelta(seconds=5),
    Stream.DEFAULT: timedelta(seconds=10),
    # Bulk is published by the relay alone: the backlog stays in PostgreSQL, the broker's queue stays short.
    Stream.BULK: timedelta(0),
}


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The parts of a message.

    `key` names the fact behind the message: one fact makes one message, however often it is reported. `id` is for a
    caller that needs the message's id in advance. `client` stands for the client whose request caused the message: the
    bounce brake is fair between clients.
    """

    kind: str
    to: str
    user: AbstractBaseUser | None = None
    key: str = ""
    client: str = ""
    id: UUID | None = None
    context: dict[str, Any] = field(default_factory=dict)
    resend_of: Message | None = None


def enqueue(draft: Draft, *, replay_dead: bool = False) -> Message:
    """Write one message, or return the message that already has the draft's key.

    `is_new` tells which. An existing message keeps its own course; a dead letter is sent only after a replay, which
    `replay_dead` does here, with the draft's context. Raises UnknownKindError, BadAddressError and BadContextError
    before it writes.
    """
    message = _message(draft)
    while not _write([message]):
        if holder := Message.objects.filter(Q(idempotency_key=message.idempotency_key) | Q(id=message.id)).first():
            return _held_by(holder, draft, replay_dead=replay_dead)
        # It was anonymized in between, which frees its key.
    return message


def enqueue_many(drafts: Sequence[Draft]) -> list[Message]:
    """Write messages with one INSERT and return the new ones, in order. Raises as `enqueue` does."""
    return _write([_message(draft) for draft in drafts])


def _held_by(holder: Message, draft: Draft, *, replay_dead: bool) -> Message:
    if holder.status != Status.DEAD:
        return holder
    if replay_dead:
        dead = Message.objects.filter(id=holder.id, anonymized_at=None)
        transitions.apply(Event.REPLAYED, dead, context=stored(draft.context))
        holder.refresh_from_db()
    else:
        logger.warning("a %s was not enqueued: the dead letter %s holds its fact; replay it", holder.kind, holder.id)
    return holder


def _write(messages: Sequence[Message]) -> list[Message]:
    _keep_back_suppressed(messages)
    with transaction.atomic():
        later = brake.hold_back([message for message in messages if message.status == Status.QUEUED])
        taken = _existing(message for message in messages if message.has_given_id)
        for message in messages:
            # Of no use, and about a person, where nothing is held back.
            message.slowed_for = message.slowed_for if message.id in later else ""
        Message.objects.bulk_create(messages, ignore_conflicts=True, batch_size=1000)
        new = _existing(messages) - taken
        written = [message for message in messages if message.id in new]
        transitions.announce_new(written)
        going = [message for message in written if message.status == Status.QUEUED and message.id not in later]
        for stream in {message.stream for message in going} - {Stream.BULK}:
            _publish_after_commit([message.id for message in going if message.stream == stream], Stream(stream))
    for message in written:
        message.is_new = True
    return written


def _existing(messages: Iterable[Message]) -> set[UUID]:
    ids = [message.id for message in messages]
    return set(Message.objects.filter(id__in=ids).values_list("id", flat=True)) if ids else set()


def _keep_back_suppressed(messages: Sequence[Message]) -> None:
    # A message to a suppressed address is written too, so that an operator can find it.
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
        # One stored form makes "the same address" a plain comparison, here as in accounts.
        to_address=one_address(draft.to).lower(),
        context=stored(draft.context),
        idempotency_key=draft.key or f"{kind.name}:{message_id}",
        slowed_for=draft.client[:32],
        resend_of=draft.resend_of,
        expires_at=Now() + kind.max_age,
        # While this process leaves the broker alone, only the relay will publish it.
        relay_after=Now() if publish.cooldown.active else Now() + RELAY_AFTER[kind.stream],
    )
    message.has_given_id = draft.id is not None
    return message


def _publish_after_commit(message_ids: list[UUID], stream: Stream) -> None:
    def publish_ids() -> None:
        publish.publish_for_request([[message_id] for message_id in message_ids], stream)

    # A plain function: Django 5.2 cannot report the failure of a functools.partial.
    transaction.on_commit(publish_ids, robust=True)
