"""Read stored events: which message each is about, and what it means for that message and its address.

A batch costs a handful of statements however many events it holds; only bounces and complaints cost some of their own.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from notifications import states
from notifications.feedback import suppressing
from notifications.feedback.writing import write_down
from notifications.models import DeliveryAttempt, Message, ProviderEvent
from notifications.outcomes import FeedbackKind, Outcome, lower_than, meant
from notifications.providers.feedback import Feedback, UnreadableError
from notifications.providers.registry import WEBHOOKS
from notifications.states import Event

logger = logging.getLogger(__name__)

BATCH = 500
State = ProviderEvent.State


@dataclass(frozen=True)
class Understood:
    """An event of a message of ours."""

    event: ProviderEvent
    feedback: Feedback
    message: Message


def read_due(limit: int = BATCH) -> Counter[str]:
    """Read at most `limit` events that are due and return how many came to which state.

    Several processes may read at once: each passes over what another has taken. Raises Django's database errors, and
    then nothing has changed.
    """
    with transaction.atomic():
        due = ProviderEvent.objects.filter(state__in=[State.STORED, State.PARKED], read_at__lte=Now())
        events = list(due.order_by("read_at").select_for_update(skip_locked=True)[:limit])
        if not events:
            return Counter()
        read = [(event, feedback) for event in events if (feedback := _read(event))]
        messages = _messages(read)
        for event, feedback in read:
            _fill(event, feedback, messages.get(event.pk))
        write_down(events)
        understood = [Understood(event, feedback, event.message) for event, feedback in read if event.message]
        _apply(understood)
    return Counter(event.state for event in events)


def _read(event: ProviderEvent) -> Feedback | None:
    """Return what an event says; where it says nothing, or nothing we understand, its state is the answer."""
    try:
        feedback = WEBHOOKS[event.provider]().read(event.payload)
    except (UnreadableError, KeyError) as error:
        logger.warning("event %s of %s cannot be read (%s)", event.pk, event.provider, type(error).__name__)
        event.state, event.detail = State.UNREADABLE, str(error)[:300]
        return None
    if feedback is None:
        event.state = State.FOREIGN
    return feedback


def _messages(read: Sequence[tuple[ProviderEvent, Feedback]]) -> dict[int, Message]:
    """Return the message of each event (by its key): by our own id, else by the provider's id of an attempt."""
    ids = {event.pk: feedback.message_id for event, feedback in read if feedback.message_id}
    wanted = {f.provider_message_id: event.pk for event, f in read if not f.message_id and f.provider_message_id}
    by_provider_id = dict(
        DeliveryAttempt.objects.filter(provider_message_id__in=wanted).values_list("provider_message_id", "message_id")
        if wanted
        else []
    )
    for event, feedback in read:
        if event.pk not in ids and feedback.provider_message_id in by_provider_id:
            ids[event.pk] = by_provider_id[feedback.provider_message_id]
    # Locked in one order, so that two readers wait for each other instead of for ever.
    rows = Message.objects.filter(id__in=set(ids.values())).order_by("id").select_for_update().in_bulk()
    return {key: rows[message_id] for key, message_id in ids.items() if message_id in rows}


def _fill(event: ProviderEvent, feedback: Feedback, message: Message | None) -> None:
    event.kind = feedback.kind
    event.bounce = feedback.bounce or ""
    event.recipient = feedback.recipient[:320] or (message.to_address.lower() if message else "")
    event.attempt = feedback.attempt
    event.provider_message_id = feedback.provider_message_id[:200]
    event.detail = feedback.detail[:300]
    event.occurred_at = feedback.occurred_at
    event.message = message
    if message:
        event.state = State.APPLIED
    elif feedback.message_id or not feedback.provider_message_id:
        # Our rows are committed before a provider hears of them: an id that is not there is none of ours.
        event.state = State.FOREIGN
    else:
        event.state = State.PARKED


def _apply(understood: Sequence[Understood]) -> None:
    accepted: dict[str, set[UUID]] = defaultdict(set)
    outcomes: dict[Outcome, set[UUID]] = defaultdict(set)
    for one in understood:
        # Whatever a provider reports of a mail, it has taken it.
        accepted[one.event.provider].add(one.message.id)
        if outcome := meant(one.feedback.kind, one.feedback.bounce):
            outcomes[outcome].add(one.message.id)
    for provider, ids in accepted.items():
        _settle(provider, ids)
    for outcome, ids in outcomes.items():
        Message.objects.filter(id__in=ids, outcome__in=lower_than(outcome)).update(outcome=outcome, outcome_at=Now())
    suppressing.heal({one.event.recipient for one in understood if one.feedback.kind is FeedbackKind.DELIVERED})
    for one in understood:
        suppressing.consider(one.event, one.feedback)


def _settle(provider: str, ids: Iterable[UUID]) -> None:
    """An acceptance is the last word, also one of an older attempt, and also before the worker's own record of it."""
    Message.objects.filter(id__in=ids, status__in=states.sources(Event.ACCEPTED)).update(
        status=states.target(Event.ACCEPTED),
        sent_at=Now(),
        provider=provider,
        status_reason="",
        settle_at=None,
        lease_token=None,
        lease_until=None,
        handed_over_at=None,
    )
