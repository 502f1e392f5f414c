"""Find all copies of an email: the original, its resends, and their resends."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from notifications.models.message import Message


def copies_of(messages: Sequence[Message]) -> dict[UUID, list[Message]]:
    """Return, by the id of each message, its original and all resends, oldest first.

    One query per generation of resends.
    """
    originals = _originals(messages)
    by_original = _descendants(set(originals.values()))
    return {message_id: by_original[original] for message_id, original in originals.items()}


def locked_copies_of(message: Message) -> list[Message]:
    # Locks in order of id, like all code that locks several messages.
    ids = [copy.id for copy in copies_of([message])[message.id]]
    list(Message.objects.filter(id__in=ids).order_by("id").select_for_update(of=("self",)).values_list("id"))
    # Read again, to see what another transaction wrote before it released its locks.
    return copies_of([message]).get(message.id, [])


def _originals(messages: Iterable[Message]) -> dict[UUID, UUID]:
    parents: dict[UUID, UUID | None] = {message.id: message.resend_of_id for message in messages}
    while unknown := {parent for parent in parents.values() if parent and parent not in parents}:
        parents.update(Message.objects.filter(id__in=unknown).values_list("id", "resend_of_id"))
        # Rows that were deleted in between count as originals.
        parents.update({parent: None for parent in unknown if parent not in parents})
    return {message.id: _original_of(message.id, parents) for message in messages}


def _original_of(message_id: UUID, parents: Mapping[UUID, UUID | None]) -> UUID:
    while parent := parents[message_id]:
        message_id = parent
    return message_id


def _descendants(originals: set[UUID]) -> dict[UUID, list[Message]]:
    # Including the original.
    original_of = {original: original for original in originals}
    found: dict[UUID, list[Message]] = defaultdict(list)
    generation = list(Message.objects.filter(id__in=originals))
    while generation:
        for message in generation:
            found[original_of[message.id]].append(message)
        children = list(
            Message.objects.filter(resend_of__in=[message.id for message in generation]).order_by("created_at")
        )
        original_of |= {child.id: original_of[child.resend_of_id] for child in children if child.resend_of_id}
        generation = children
    return found
