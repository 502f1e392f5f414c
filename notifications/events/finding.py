"""Find the message of each event, or else its address."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection

from notifications.conf.guard import current_guard
from notifications.models import DeliveryAttempt, Message, ProviderEvent
from notifications.providers.base.webhook import InterpretedEvent
from notifications.rules.addresses import BadAddressError, named_address, one_address
from notifications.rules.guard import REDIRECTED
from notifications.rules.outcomes import BounceKind, EventType
from notifications.rules.states import STATUSES

Read = Sequence[tuple[ProviderEvent, InterpretedEvent]]
#: Messages, and the address to which a staging guard redirected each.
Redirections = Set[tuple[UUID, str]]

# Events that affect an address even if they name no message.
ABOUT_ADDRESSES = {
    EventType.BOUNCED,
    EventType.REJECTED,
    EventType.COMPLAINED,
    EventType.NOT_SPAM,
    EventType.UNSUBSCRIBED,
}
# For each address, the newest message that the provider may report on: it, or an SMTP server that may be the
# provider's, had accepted the message by then, allowing for different clocks. Also whether we have ever written to the
# address: OFFSET 0, so that the index finds it, and no plan reads all messages to join them.
_BY_ADDRESS = """
SELECT asked.event_id, (
    SELECT id FROM notifications_message AS message
    WHERE message.to_address = asked.address AND message.status = %(sent)s
      AND message.provider IN (asked.provider, 'smtp', '') AND message.sent_at < asked.at + interval '5 minutes'
    ORDER BY message.sent_at DESC LIMIT 1
), EXISTS (SELECT FROM notifications_message AS message WHERE message.to_address = asked.address OFFSET 0)
FROM unnest(%(ids)s::bigint[], %(addresses)s::text[], %(providers)s::text[], %(times)s::timestamptz[])
    AS asked (event_id, address, provider, at)
"""


@dataclass
class Found:
    """Message ids and addresses by the keys of their events."""

    ids: dict[int, UUID] = field(default_factory=dict)
    addresses: dict[int, str] = field(default_factory=dict)


def find(read: Read) -> Found:
    # Each step costs a statement only if an event needs it.
    found = Found({event.pk: meaning.message_id for event, meaning in read if meaning.message_id})
    for step in (_by_receipt, _by_header):
        found.ids |= step([(event, meaning) for event, meaning in read if event.pk not in found.ids])
    rest = [(event, meaning) for event, meaning in read if event.pk not in found.ids]
    _by_address([(event, meaning) for event, meaning in rest if _is_about_an_address(event, meaning)], found)
    return found


def _by_receipt(read: Read) -> dict[int, UUID]:
    # By the provider's id of an attempt.
    receipts = {meaning.provider_message_id for _, meaning in read} - {""}
    if not receipts:
        return {}
    # For a long list, PostgreSQL uses the partial index of known ids only if its condition is repeated.
    attempts = DeliveryAttempt.objects.filter(provider_message_id__in=receipts).exclude(provider_message_id="")
    known = dict(attempts.values_list("provider_message_id", "message_id"))
    return {event.pk: known[f.provider_message_id] for event, f in read if f.provider_message_id in known}


def _by_header(read: Read) -> dict[int, UUID]:
    # Other applications also write Message-IDs of this form, so only existing rows count.
    headers = {meaning.header_id for _, meaning in read if meaning.header_id}
    if not headers:
        return {}
    known = set(Message.objects.filter(id__in=headers).values_list("id", flat=True))
    return {event.pk: meaning.header_id for event, meaning in read if meaning.header_id in known}


def redirected(read: Iterable[tuple[Message, InterpretedEvent]]) -> Redirections:
    """Find the emails that a staging guard redirected to the address that an event names.

    The guard may be off again. Costs a statement only if an event names another address than its message has.
    """
    named = {(message.id, address) for message, meaning in read if (address := _other_address(message, meaning))}
    if not named:
        return set()
    attempts = DeliveryAttempt.objects.filter(message__in={message_id for message_id, _ in named}).exclude(error="")
    notes = {(message_id, note.partition(" · ")[0]) for message_id, note in attempts.values_list("message_id", "error")}
    return {(message_id, to) for message_id, to in named if (message_id, REDIRECTED.format(address=to)) in notes}


def recipient_of(message: Message, meaning: InterpretedEvent, redirections: Redirections) -> str:
    """Return the address that an event of this message is about, in our spelling."""
    guard, first = current_guard(), message.to_address.lower()
    named = _named(meaning)
    # A provider may spell the address differently. Only with several recipients or a guard, it can be another one.
    can_be_another = message.has_content or named == guard.redirect_to or (message.id, named) in redirections
    if named and (can_be_another or named == first):
        return named
    return guard.destination(first)


def _other_address(message: Message, meaning: InterpretedEvent) -> str:
    named = "" if message.has_content else _named(meaning)
    return named if named != message.to_address.lower() else ""


def _named(meaning: InterpretedEvent) -> str:
    try:
        return named_address(meaning.recipient.strip()).address.lower()
    except BadAddressError:
        return ""


def _is_about_an_address(event: ProviderEvent, meaning: InterpretedEvent) -> bool:
    # An event with an id that stays unknown belongs to another application on the same account. The provider applies
    # its hard bounces and complaints to our emails too.
    if not meaning.recipient or meaning.kind not in ABOUT_ADDRESSES or meaning.bounce is BounceKind.AUTO_REPLY:
        return False
    if not meaning.is_named:
        return True
    final = meaning.bounce is BounceKind.HARD or meaning.kind is EventType.COMPLAINED
    return final and not meaning.message_id and event.is_given_up


def _by_address(read: Read, found: Found) -> None:
    asked = [
        (event.pk, address, event.provider, meaning.occurred_at or event.received_at)
        for event, meaning in read
        if (address := _our_spelling(meaning.recipient))
    ]
    if not asked:
        return
    named = {event.pk for event, meaning in read if meaning.is_named}
    spelling = {pk: address for pk, address, _, _ in asked}
    columns = (list(column) for column in zip(*asked, strict=True))
    terms = dict(zip(("ids", "addresses", "providers", "times"), columns, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_BY_ADDRESS, {**STATUSES, **terms})
        for pk, message_id, is_known in cursor.fetchall():
            if message_id and pk not in named:
                found.ids[pk] = message_id
            elif is_known:
                found.addresses[pk] = spelling[pk]


def _our_spelling(address: str) -> str:
    # The form that messages have; "" if no message can have the address.
    try:
        return one_address(address).lower()
    except BadAddressError:
        return ""
