"""Change the status and the outcome of messages, then notify the listeners."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.db.models.sql.subqueries import UpdateQuery

from notifications.conf import settings
from notifications.models.message import Message
from notifications.models.pending_change import noting
from notifications.rules import changes as rules
from notifications.rules import states
from notifications.rules.changes import MessageChange
from notifications.rules.outcomes import Outcome, lower_than
from notifications.rules.states import Event, Status

# All changes of a status or an outcome pass through here. Each is a compare-and-set from a table. The same statement
# notes the changes that the application learns (`models.pending_change`). After the commit, each listener is called
# once per event, with all messages that the event has changed.

logger = logging.getLogger(__name__)

MAX_IDS_IN_LOG = 10
# All other events are part of every message's normal course.
_LEVELS = {
    **dict.fromkeys([Event.FAILED, Event.WORKER_LOST], logging.WARNING),
    **dict.fromkeys([Event.LEASE_ENDED, Event.RESPONSE_LOST, Event.SETTLED, Event.DROPPED], logging.INFO),
    **dict.fromkeys([Event.EXPIRED, Event.CANCELLED, Event.ADDRESS_SUPPRESSED, Event.REPLAYED], logging.INFO),
}
_UNCLAIMED = {"lease_token": None, "lease_until": None, "handed_over_at": None}
_DUE_NOW = {"due_at": Now(), "relay_after": Now(), "relayed": 0}
# The columns that change together with the status.
_CHANGES: dict[Event, dict[str, Any]] = {
    Event.ACCEPTED: {
        "sent_at": Now(),
        "settle_at": None,
        "died_at": None,
        "status_reason": "",
        "error_fingerprint": "",
    },
    Event.FAILED: {"died_at": Now()},
    Event.SETTLED: {**_DUE_NOW, "settle_at": None, "uncertain_resends": F("uncertain_resends") + 1},
    Event.DROPPED: {"settle_at": None},
    # Attempts are reset; the expiry is not.
    Event.REPLAYED: {
        **_DUE_NOW,
        "attempts_forgiven": F("attempts"),
        "attempts_before": F("attempts"),
        "replays": F("replays") + 1,
        "died_at": None,
        "error_fingerprint": "",
        "status_reason": "",
        "uncertain_resends": 0,
        "claims_lost": 0,
        # The outcome belongs to the attempts before.
        "outcome": Outcome.UNKNOWN,
        "outcome_at": None,
    },
}


@dataclass(frozen=True, kw_only=True)
class Changed:
    id: UUID
    kind: str


@dataclass(frozen=True, kw_only=True)
class Transition:
    """Messages that one event has changed. Without an event, they are new."""

    event: Event | None
    to: Status
    messages: Sequence[Changed]

    @property
    def sources(self) -> list[Status]:
        return states.sources(self.event) if self.event else []


Listener = Callable[[Transition], None]


def apply(event: Event, messages: QuerySet[Message], **changes: Any) -> list[UUID]:
    """Apply `event` to those messages whose state allows it, and return their ids.

    One statement. `changes` are written with the new status and take precedence over what the event writes.
    """
    after = states.target(event)
    unclaimed = {} if after is Status.SENDING else _UNCLAIMED
    changed = _update(
        messages.filter(status__in=states.sources(event)),
        {**unclaimed, **_changes(event), **changes, "status": after},
        rules.OF_STATUS[after],
    )
    announce(event, changed)
    return [message.id for message in changed]


def record_outcome(outcome: Outcome, message_ids: Iterable[UUID]) -> None:
    """Write what the provider reported, for those messages whose outcome it may replace. One statement."""
    lower = Message.objects.filter(id__in=message_ids, outcome__in=lower_than(outcome))
    _update(lower, {"outcome": outcome, "outcome_at": Now()}, rules.OF_OUTCOME[outcome])


def announce(event: Event, changed: Sequence[Changed]) -> None:
    # After the commit, like the listeners of `apply`.
    _notify(Transition(event=event, to=states.target(event), messages=changed))


def announce_new(messages: Iterable[Message]) -> None:
    by_status: dict[Status, list[Changed]] = {}
    for message in messages:
        by_status.setdefault(Status(message.status), []).append(Changed(id=message.id, kind=message.kind))
    for status, changed in by_status.items():
        _notify(Transition(event=None, to=status, messages=changed))


def note_new(message: Message, status: str, reason: str) -> None:
    # As the INSERT wrote it, which knows whether the address is suppressed.
    message.status, message.status_reason = status, reason


def log(transition: Transition) -> None:
    level = _LEVELS.get(transition.event, logging.DEBUG) if transition.event else logging.DEBUG
    if not logger.isEnabledFor(level):
        return
    changed = transition.messages
    more = len(changed) - MAX_IDS_IN_LOG
    logger.log(
        level,
        "event=%s from=%s to=%s count=%s kinds=%s ids=%s%s",
        transition.event.name.lower() if transition.event else "enqueued",
        "|".join(transition.sources) or "-",
        transition.to.value,
        len(changed),
        ",".join(sorted({message.kind for message in changed})),
        ",".join(str(message.id) for message in changed[:MAX_IDS_IN_LOG]),
        f" and {more} more" if more > 0 else "",
        extra={"message_ids": [str(message.id) for message in changed]},
    )


LISTENERS: list[Listener] = [log]


def _changes(event: Event) -> dict[str, Any]:
    if states.target(event) is Status.UNCERTAIN:
        return {"settle_at": Now() + timedelta(seconds=settings.UNCERTAIN_SETTLE_S)}
    return _CHANGES.get(event, {})


def _update(messages: QuerySet[Message], changes: dict[str, Any], change: MessageChange | None) -> list[Changed]:
    # Like `messages.update()`. RETURNING saves a query for the changed rows.
    query: Any = messages.order_by().query.chain(UpdateQuery)
    query.add_update_values(changes)
    try:
        statement, parameters = query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(noting(f"{statement} RETURNING id, kind", change), parameters)
        return [Changed(id=id_, kind=kind) for id_, kind in cursor.fetchall()]


def _notify(transition: Transition) -> None:
    if transition.messages:
        for listener in LISTENERS:
            _after_commit(listener, transition)


def _after_commit(listener: Listener, transition: Transition) -> None:
    def call() -> None:
        listener(transition)

    # Robust: a listener that fails affects neither the change nor other listeners.
    transaction.on_commit(call, robust=True)
