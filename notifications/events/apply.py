"""Interpret stored events: find the message of each, and apply what it reports.

A batch of any size costs the same few statements.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from notifications.conf.guard import current_guard
from notifications.events import suppress
from notifications.events.finding import Redirections, find, recipient_of, redirected
from notifications.events.splitting import split_first
from notifications.events.writing import write_results
from notifications.models import DeliveryAttempt, Message, ProviderEvent, transitions
from notifications.models.transactions import short_transaction
from notifications.providers.base.answers import report
from notifications.providers.base.webhook import InterpretedEvent, UnknownEventError, Webhook
from notifications.providers.registry import webhook_of
from notifications.rules.outcomes import EventType, Outcome, reported_outcome
from notifications.rules.states import Event, Status

logger = logging.getLogger(__name__)

BATCH = 500
# An event that finds no message within this time is foreign.
PARK_FOR_S = 3600
State = ProviderEvent.State
# ORDER BY makes the planner use the indexes, also while its statistics are old.
_IS_ANY_DUE = """
SELECT coalesce(
    (
        SELECT true FROM notifications_providerevent
        WHERE state IN (%(stored)s, %(parked)s) AND read_after <= statement_timestamp() ORDER BY read_after LIMIT 1
    ),
    (SELECT true FROM notifications_eventbatch ORDER BY received_at, id LIMIT 1),
    false
)
"""


@dataclass(frozen=True)
class Understood:
    """An interpreted event with its message."""

    event: ProviderEvent
    interpreted: InterpretedEvent
    message: Message

    @property
    def is_of_first(self) -> bool:
        # What happens to further recipients says nothing about the message.
        first = self.message.to_address.lower()
        return not self.message.has_content or self.event.recipient in {first, current_guard().destination(first)}


def read_due(limit: int = BATCH) -> Counter[str]:
    """Read at most `limit` due events, and count them by their new state.

    Raises database errors, and then nothing has changed. Several processes may read simultaneously: each skips the
    events and messages that another has locked.
    """
    if not _is_any_due():
        return Counter()
    with short_transaction():
        # Large batches wait until all single events are read.
        events = list(_due()[:limit]) or (list(_due()[:limit]) if split_first() else [])
        if not events:
            return Counter()
        read = [(event, interpreted) for event in events if (interpreted := _read(event))]
        found = find(read)
        messages = _locked(set(found.ids.values()))
        busy = _existing(set(found.ids.values()) - messages.keys())
        known = [
            (event, interpreted, messages.get(message_id) if (message_id := found.ids.get(event.pk)) else None)
            for event, interpreted in read
            if found.ids.get(event.pk) not in busy
        ]
        redirections = redirected((message, interpreted) for _, interpreted, message in known if message)
        for event, interpreted, message in known:
            _fill(event, interpreted, message, redirections)
            _file(event, interpreted, found.addresses.get(event.pk, ""))
        done = [event for event in events if found.ids.get(event.pk) not in busy]
        write_results(done)
        _apply([Understood(event, interpreted, event.message) for event, interpreted in read if event.message])
        _apply_to_addresses([(event, interpreted) for event, interpreted in read if event.pk in found.addresses])
    return Counter(event.state for event in done)


def _is_any_due() -> bool:
    # Most readings find nothing. This costs them one statement instead of a transaction of five.
    with connection.cursor() as cursor:
        cursor.execute(_IS_ANY_DUE, {"stored": State.STORED, "parked": State.PARKED})
        ((answer,),) = cursor.fetchall()
    return bool(answer)


def set_aside_first(error: str) -> None:
    # The database rejects every batch that contains this event.
    with short_transaction():
        ids = list(_due().values_list("id", flat=True)[:1])
        ProviderEvent.objects.filter(id__in=ids).update(state=State.UNREADABLE, detail=error[:300])


def _due() -> QuerySet[ProviderEvent, ProviderEvent]:
    due = ProviderEvent.objects.filter(state__in=[State.STORED, State.PARKED], read_after__lte=Now())
    over = Q(received_at__lt=Now() - timedelta(seconds=PARK_FOR_S))
    # In this form, mypy sees no second definition of the attribute.
    due = due.annotate(**{"is_given_up": over})  # noqa: PIE804
    return due.order_by("read_after").select_for_update(skip_locked=True)


def _webhook(provider: str) -> Webhook:
    if (webhook := webhook_of(provider)) is None:
        raise UnknownEventError("no provider of this name is registered")
    return webhook


def _read(event: ProviderEvent) -> InterpretedEvent | None:
    # None if the event is not about delivery or cannot be read; its state says which.
    try:
        if report.is_answer(event.event_id):
            return report.interpreted(event.payload)
        interpreted = _webhook(event.provider).interpret(event.payload)
    except Exception as error:  # noqa: BLE001 - an event that cannot be read must not stop the others
        logger.warning("event %s of %s cannot be read (%s)", event.pk, event.provider, type(error).__name__)
        event.state = State.UNREADABLE
        event.detail = (str(error) if isinstance(error, UnknownEventError) else type(error).__name__)[:300]
        return None
    if interpreted is None:
        event.state = State.FOREIGN
    return interpreted


def _locked(ids: set[UUID]) -> dict[UUID, Message]:
    # Skips messages that another process has locked, so that it cannot stop every reader.
    return Message.objects.filter(id__in=ids).order_by("id").select_for_update(skip_locked=True).in_bulk()


def _existing(ids: set[UUID]) -> set[UUID]:
    # The events of these messages are read in the next round.
    return set(Message.objects.filter(id__in=ids).values_list("id", flat=True)) if ids else set()


def _fill(
    event: ProviderEvent, interpreted: InterpretedEvent, message: Message | None, redirections: Redirections
) -> None:
    event.kind = interpreted.kind
    event.bounce = interpreted.bounce or ""
    event.recipient = recipient_of(message, interpreted, redirections) if message else interpreted.recipient[:320]
    event.attempt = interpreted.attempt
    event.provider_message_id = interpreted.provider_message_id[:200]
    event.detail = interpreted.detail[:300]
    if message and message.anonymized_at:
        # Keeps the outcome of the message, but no personal data.
        event.detail, event.payload = "", {}
    event.occurred_at = interpreted.occurred_at
    event.message = message


def _file(event: ProviderEvent, interpreted: InterpretedEvent, address: str) -> None:
    # `address` is one that we wrote to, if the event names no message.
    event.recipient = address or event.recipient
    if event.message or address:
        event.state = State.APPLIED
    elif interpreted.message_id or not interpreted.is_named or event.is_given_up:
        # Our rows are committed before a provider receives their ids, so an unknown id is not ours.
        event.state = State.FOREIGN
    else:
        event.state = State.PARKED


def _apply(understood: Sequence[Understood]) -> None:
    if not understood:
        return
    # A provider that reports on an email has accepted it.
    taken = [one for one in understood if one.interpreted.was_taken]
    _note_lost_attempts(taken)
    outcomes: dict[Outcome, set[UUID]] = defaultdict(set)
    for one in understood:
        if one.is_of_first and (outcome := reported_outcome(one.interpreted.kind, one.interpreted.bounce)):
            outcomes[outcome].add(one.message.id)
    _accept_all(taken)
    for outcome, ids in outcomes.items():
        transitions.record_outcome(outcome, ids)
    delivered = [one for one in understood if one.interpreted.kind is EventType.DELIVERED and one.is_of_first]
    suppress.lift_rechecked({one.message.id for one in delivered})
    remembered = [one for one in understood if not one.message.anonymized_at]
    suppress.consider([suppress.Report(one.event, one.interpreted) for one in remembered])


def _accept_all(taken: Sequence[Understood]) -> None:
    accepted: dict[str, set[UUID]] = defaultdict(set)
    for one in taken:
        accepted[one.event.provider].add(one.message.id)
    for provider, ids in accepted.items():
        _accept(provider, ids)


def _apply_to_addresses(read: Sequence[tuple[ProviderEvent, InterpretedEvent]]) -> None:
    # These reports are about an address without a message.
    suppress.consider([suppress.Report(event, interpreted) for event, interpreted in read])


def _note_lost_attempts(understood: Sequence[Understood]) -> None:
    # During a hand-over the attempt has no row yet, and gets none if the worker is lost. If the worker does record it,
    # it completes this row.
    calling = [one for one in understood if one.message.status == Status.SENDING and one.message.handed_over_at]
    # An event about the last attempt has precedence over one about an older attempt.
    held = {one.message.id: one for one in sorted(calling, key=_is_of_the_last_attempt)}
    DeliveryAttempt.objects.bulk_create([_last_attempt(one) for one in held.values()], ignore_conflicts=True)


def _is_of_the_last_attempt(one: Understood) -> bool:
    # An event without our number belongs to an earlier attempt, if there is one: its id led to the message.
    return (one.interpreted.attempt or 1) == one.message.attempts


def _last_attempt(one: Understood) -> DeliveryAttempt:
    attempt = DeliveryAttempt(message=one.message, number=one.message.attempts)
    if _is_of_the_last_attempt(one):
        attempt.provider, attempt.provider_message_id = one.event.provider, one.event.provider_message_id
        attempt.result = DeliveryAttempt.Result.ACCEPTED
    else:
        attempt.provider, attempt.error_code = one.message.provider, "overtaken"
        attempt.result = DeliveryAttempt.Result.AMBIGUOUS
        attempt.error = "the provider reported that it had accepted an older attempt, during this call"
    return attempt


def _accept(provider: str, ids: Iterable[UUID]) -> None:
    # An acceptance is final, even of an older attempt, and even before the worker records it.
    transitions.apply(Event.ACCEPTED, Message.objects.filter(id__in=ids), provider=provider)
