"""Record an attempt and the message's new status in one transaction."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.db import Error, connection
from django.db.models import DurationField, IntegerField
from django.db.models.functions import Cast, Now

from notifications.conf import settings
from notifications.delivery.attempt import AttemptRow
from notifications.delivery.bounced import record_bounces
from notifications.delivery.claim import held
from notifications.delivery.fate import RESPONSE_LOST, Fate
from notifications.delivery.relevance import Skip
from notifications.models import DeliveryAttempt, Message, transitions
from notifications.models.by_id import by_id
from notifications.models.pending_change import noting
from notifications.models.prepared import prepared_cursor
from notifications.models.transactions import short_transaction
from notifications.rules import states
from notifications.rules.changes import MessageChange
from notifications.rules.outcomes import BounceKind
from notifications.rules.retry import Decision, GiveUp, Retry, TooLate, Uncertain
from notifications.rules.states import Event
from notifications.runtime.database import drop_connection, error_name, is_outage, note_outage

logger = logging.getLogger(__name__)

PAUSE_S = 0.5
NO_TIME_LEFT = "it expired before another attempt"

# The columns of an attempt that its report overwrites: the relay may have recorded the attempt as "worker lost".
_REPORTED = (
    *("provider", "result", "provider_message_id", "error_code", "error"),
    *("duration_ms", "task_id", "worker", "fingerprint"),
)
_COLUMNS = ("message_id", "number", *_REPORTED)
_OVERWRITE = f"""
ON CONFLICT (message_id, number) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _REPORTED)}
"""
# Lists of ids and numbers are sent in binary (%b): as text, each element is quoted in Python.
_REPORT = """
report AS (
    SELECT message_id, number, %(provider)s::text AS provider, %(result)s::text AS result, provider_message_id,
        %(error_code)s::text AS error_code, %(error)s::text AS error, duration_ms, %(task_id)s::text AS task_id,
        %(worker)s::text AS worker, fingerprint
    FROM unnest(
        %(message_ids)b::uuid[], %(numbers)b::int[], %(provider_message_ids)s::text[], %(durations_ms)b::int[],
        %(fingerprints)b::text[]
    ) AS one (message_id, number, provider_message_id, duration_ms, fingerprint)
)
"""
_INSERT = f"""
INSERT INTO notifications_deliveryattempt ({", ".join(_COLUMNS)})
SELECT {", ".join(_COLUMNS)} FROM report
{_OVERWRITE}
"""  # noqa: S608 - made of constants only
# A refusal does not overwrite an acceptance that the provider has reported meanwhile.
_REFUSED = f"WITH {_REPORT} {_INSERT} WHERE notifications_deliveryattempt.result <> %(accepted)s"
# Attempts and statuses in one statement, which is one transaction: it locks the messages before it writes the attempts.
# In SQL because it runs once per email; a test compares it with the table of states.
_BEFORE_ACCEPTED = f"{_REPORT}, attempt AS ({_INSERT})"
_ACCEPTED = """
UPDATE notifications_message AS message
SET status = %(sent)s, sent_at = statement_timestamp(), settle_at = NULL, status_reason = '',
    provider = %(provider)s, lease_token = NULL, lease_until = NULL, handed_over_at = NULL, died_at = NULL,
    error_fingerprint = ''
WHERE message.id = ANY((SELECT %(message_ids)b::uuid[])::uuid[]) AND message.status = ANY(%(sources)s)
RETURNING message.id, message.kind
"""
_ACCEPTANCE: dict[str, Any] = {"sent": states.target(Event.ACCEPTED), "sources": states.sources(Event.ACCEPTED)}
T = TypeVar("T")


class RecordLostError(Exception):
    """The provider was called, but the database stayed unavailable. The message becomes uncertain."""


@dataclass(frozen=True, kw_only=True)
class RefusedAttempt:
    """An attempt that was not accepted, and what happens to its message.

    `relay_slack_s` is how long after the due time the relay leaves the message to Celery's retry.
    """

    attempt: AttemptRow
    decision: Decision
    relay_slack_s: float = 0.0

    @property
    def event(self) -> Event:
        match self.decision:
            case Retry():
                return Event.RETRY
            case GiveUp():
                return Event.FAILED
            case TooLate():
                return Event.EXPIRED
            case _:
                return Event.RESPONSE_LOST

    @property
    def fingerprint(self) -> str:
        return f"{self.attempt.provider}/{self.attempt.error_code}"[:150]

    @property
    def fate(self) -> Fate:
        match self.decision:
            case Uncertain():
                return Fate(states.target(self.event), f"{RESPONSE_LOST} ({self.fingerprint})")
            case TooLate():
                return Fate(states.target(self.event), NO_TIME_LEFT)
            case _:
                return Fate(states.target(self.event), self.fingerprint)

    @property
    def reason(self) -> str:
        said = str(self.attempt.error or self.attempt.error_code)
        match self.decision:
            case GiveUp(cause):
                said = f"{cause}: {said}"
            case TooLate():
                said = f"{NO_TIME_LEFT}: {said}"
        return said[:200]


def record_skip(message: Message, skip: Skip, *, pause_s: float) -> bool:
    # False if the claim was lost. Nothing was handed over, so there is no attempt to record. A message that needs a
    # worker of another version waits `pause_s`.
    changes: dict[str, Any] = {"status_reason": skip.reason[:200], "error_fingerprint": skip.fingerprint[:150]}
    if skip.event is Event.RELEASED:
        due = Now() + timedelta(seconds=pause_s)
        changes |= {"due_at": due, "relay_after": due, "relayed": 0}
    return bool(transitions.apply(skip.event, held([message]), **changes))


def record_acceptances(attempts: Sequence[AttemptRow]) -> None:
    # For attempts of one task with one provider. An acceptance is a fact, whichever worker holds the message. So the
    # lease tokens are not checked. Their notes differ only for several recipients, or while a guard redirects some.
    with ExitStack() as all_tried:
        for note in {attempt.error for attempt in attempts}:
            some = [attempt for attempt in attempts if attempt.error == note]
            all_tried.callback(_write_together, some, _write_acceptances)


def _write_acceptances(attempts: Sequence[AttemptRow]) -> None:
    with prepared_cursor() as cursor:
        statement = noting(_ACCEPTED, MessageChange.SENT, before=_BEFORE_ACCEPTED)
        cursor.execute(statement, {**_values_of(attempts), **_ACCEPTANCE})
        changed = [transitions.Changed(id=message_id, kind=kind) for message_id, kind in cursor.fetchall()]
    transitions.announce(Event.ACCEPTED, changed)


def record_refusals(refusals: Sequence[RefusedAttempt], *, bounce: BounceKind | None = None) -> set[UUID]:
    """Queue the messages again, end them, or wait for the provider's report.

    Return the ids of those that changed. For attempts of one task that have one answer. `bounce` is what it says about
    the address, recorded if the message ends.
    """
    by_event: dict[Event, list[RefusedAttempt]] = defaultdict(list)
    for refusal in refusals:
        by_event[refusal.event].append(refusal)
    changed: set[UUID] = set()
    # Not in one transaction: it would lock the messages of a second event after those of the first, in any order.
    for event, some in by_event.items():
        ended = event in {Event.FAILED, Event.EXPIRED}
        write = partial(_write_refusals, event=event, bounce=bounce if ended else None, all_changed=changed)
        _write_together(some, write)
    return changed


def _write_refusals(
    refusals: Sequence[RefusedAttempt], *, event: Event, bounce: BounceKind | None, all_changed: set[UUID]
) -> None:
    attempts = [refusal.attempt for refusal in refusals]
    with short_transaction():
        # Locks the messages before the attempts, like all code; the other order would deadlock.
        mine = held([attempt.message for attempt in attempts])
        changed = set(transitions.apply(event, mine, **_changes(event, refusals)))
        with connection.cursor() as cursor:
            cursor.execute(_REFUSED, {**_values_of(attempts), "accepted": DeliveryAttempt.Result.ACCEPTED})
        if bounce:
            # If the claim is lost, the message may have been anonymized.
            record_bounces([attempt for attempt in attempts if attempt.message_id in changed], bounce)
    all_changed |= changed


def _changes(event: Event, refusals: Sequence[RefusedAttempt]) -> dict[str, Any]:
    each = {refusal.attempt.message: refusal for refusal in refusals}
    changes: dict[str, Any] = {
        "status_reason": by_id({message.id: one.reason for message, one in each.items()}),
        "attempts_forgiven": by_id({message.id: message.attempts_forgiven for message in each}, IntegerField()),
    }
    if event is Event.FAILED:
        changes["error_fingerprint"] = refusals[0].fingerprint
    if event is Event.RETRY:
        waits = {message.id: one.decision.after_s for message, one in each.items() if isinstance(one.decision, Retry)}
        slacks = {message.id: one.relay_slack_s for message, one in each.items()}
        changes["due_at"] = Now() + _seconds(waits)
        changes["relay_after"] = Now() + _seconds({id_: wait + slacks[id_] for id_, wait in waits.items()})
    return changes


def _seconds(values: Mapping[UUID, float]) -> Cast:
    return by_id({id_: f"{value:f} seconds" for id_, value in values.items()}, DurationField())


def _values_of(attempts: Sequence[AttemptRow]) -> dict[str, Any]:
    # In order of id, like all code that locks several messages.
    ordered = sorted(attempts, key=lambda attempt: attempt.message_id.int)
    return {
        **{field: getattr(ordered[0], field) for field in _COLUMNS},
        "message_ids": [attempt.message_id for attempt in ordered],
        "numbers": [attempt.number for attempt in ordered],
        "provider_message_ids": [attempt.provider_message_id for attempt in ordered],
        "durations_ms": [attempt.duration_ms for attempt in ordered],
        "fingerprints": [attempt.fingerprint for attempt in ordered],
    }


def _write_together(some: Sequence[T], write: Callable[[Sequence[T]], None]) -> None:
    try:
        _write_result(lambda: write(some))
    except Error:
        if len(some) == 1:
            raise
        # One that cannot be written must not cost the others their records.
        with ExitStack() as all_tried:
            for one in some:
                all_tried.callback(_write_together, [one], write)


def retry_until_written(write: Callable[[], None], *, within_s: float) -> None:
    """Write, and retry while the database is unavailable. Raises RecordLostError after `within_s`."""
    began = time.monotonic()
    is_logged = False
    while True:
        try:
            return write()
        except Error as error:
            if not is_outage(error):
                raise
            if time.monotonic() - began > within_s:
                raise RecordLostError(error_name(error)) from None
            if not is_logged:
                logger.warning("the database is unavailable (%s); the result of the delivery waits", error_name(error))
                is_logged = True
            note_outage()
            drop_connection()
            time.sleep(PAUSE_S)


def _write_result(write: Callable[[], None]) -> None:
    """Write the result, and retry during an outage. Raises RecordLostError.

    Retries as long as an uncertain message waits to be settled. That is longer than the lease, but ending the lease is
    a write too. No caller may repeat this step: that would repeat the send.
    """
    retry_until_written(write, within_s=settings.UNCERTAIN_SETTLE_S)
