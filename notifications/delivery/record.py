"""Record an attempt and the message's new status in one transaction."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import Error, connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from notifications.conf import settings
from notifications.delivery.bounced import record_bounce
from notifications.delivery.relevance import Skip
from notifications.models import DeliveryAttempt, Message, transitions
from notifications.models.prepared import prepared_cursor
from notifications.models.transactions import short_transaction
from notifications.providers.base.sending import Accepted, ProviderError
from notifications.rules import states
from notifications.rules.outcomes import BounceKind
from notifications.rules.retry import Decision, GiveUp, Retry, TooLate
from notifications.rules.states import Event
from notifications.runtime.database import drop_connection, error_name, is_outage, note_outage

logger = logging.getLogger(__name__)

PAUSE_S = 0.5
NO_TIME_LEFT = "it expired before another attempt"

# The columns of an attempt that its report overwrites: the relay may have recorded the attempt as "worker lost".
_REPORTED = (
    *("provider", "result", "provider_message_id", "error_code", "error"),
    *("duration_ms", "task_id", "worker"),
)
_COLUMNS = ("message_id", "number", *_REPORTED)
_OVERWRITE = f"""
ON CONFLICT (message_id, number) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _REPORTED)}
"""
# A refusal does not overwrite an acceptance that the provider has reported meanwhile.
_REFUSED = f"""
INSERT INTO notifications_deliveryattempt ({", ".join(_COLUMNS)})
VALUES ({", ".join(f"%({name})s" for name in _COLUMNS)})
{_OVERWRITE} WHERE notifications_deliveryattempt.result <> %(accepted)s
"""  # noqa: S608 - made of constants only
# Attempts and statuses in one statement, which is one transaction: it locks the messages before it writes the attempts.
# In SQL because it runs once per email; a test compares it with the table of states.
_ACCEPTED = f"""
WITH report AS (
    SELECT message_id, number, %(provider)s::text AS provider, %(result)s::text AS result, provider_message_id,
        %(error_code)s::text AS error_code, %(error)s::text AS error, duration_ms, %(task_id)s::text AS task_id,
        %(worker)s::text AS worker
    FROM unnest(%(message_ids)s::uuid[], %(numbers)s::int[], %(provider_message_ids)s::text[], %(durations_ms)s::int[])
        AS one (message_id, number, provider_message_id, duration_ms)
), attempt AS (
    INSERT INTO notifications_deliveryattempt ({", ".join(_COLUMNS)})
    SELECT {", ".join(_COLUMNS)} FROM report
    {_OVERWRITE}
)
UPDATE notifications_message AS message
SET status = %(sent)s, sent_at = statement_timestamp(), settle_at = NULL, status_reason = '',
    provider = report.provider, lease_token = NULL, lease_until = NULL, handed_over_at = NULL, died_at = NULL,
    error_fingerprint = ''
FROM report
WHERE message.id = report.message_id AND message.status = ANY(%(sources)s)
RETURNING message.id, message.kind
"""  # noqa: S608 - made of constants only
_ACCEPTANCE: dict[str, Any] = {"sent": states.target(Event.ACCEPTED), "sources": states.sources(Event.ACCEPTED)}


class RecordLostError(Exception):
    """The provider was called, but the database stayed unavailable. The message becomes uncertain."""


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """The Celery task and the worker that make an attempt."""

    task_id: str
    worker: str


def record_skip(message: Message, skip: Skip, *, pause_s: float) -> None:
    # Nothing was handed over, so there is no attempt to record. A message that needs a worker of another version waits
    # `pause_s`.
    changes: dict[str, Any] = {"status_reason": skip.reason[:200], "error_fingerprint": skip.fingerprint[:150]}
    if skip.event is Event.RELEASED:
        due = Now() + timedelta(seconds=pause_s)
        changes |= {"due_at": due, "relay_after": due, "relayed": 0}
    transitions.apply(skip.event, _held(message), **changes)


def record_acceptances(attempts: Sequence[DeliveryAttempt]) -> None:
    # For attempts of one task with one provider. An acceptance is a fact, whichever worker holds the message. So the
    # lease tokens are not checked.
    try:
        _write_result(lambda: _write_acceptances(attempts))
    except Error:
        if len(attempts) == 1:
            raise
        # One that cannot be written must not cost the others their records.
        _record_one_by_one(attempts)


def _write_acceptances(attempts: Sequence[DeliveryAttempt]) -> None:
    # In order of id, like all code that locks several messages.
    ordered = sorted(attempts, key=lambda attempt: attempt.message_id)
    each: dict[str, Any] = {
        "message_ids": [attempt.message_id for attempt in ordered],
        "numbers": [attempt.number for attempt in ordered],
        "provider_message_ids": [attempt.provider_message_id for attempt in ordered],
        "durations_ms": [attempt.duration_ms for attempt in ordered],
    }
    with prepared_cursor() as cursor:
        cursor.execute(_ACCEPTED, {**_values_of(ordered[0]), **each, **_ACCEPTANCE})
        changed = [transitions.Changed(id=message_id, kind=kind) for message_id, kind in cursor.fetchall()]
    transitions.announce(Event.ACCEPTED, changed)


def _record_one_by_one(attempts: Sequence[DeliveryAttempt]) -> None:
    with ExitStack() as all_tried:
        for attempt in attempts:
            all_tried.callback(record_acceptances, [attempt])


def record_refusal(
    message: Message,
    attempt: DeliveryAttempt,
    decision: Decision,
    *,
    bounce: BounceKind | None = None,
    relay_slack_s: float,
) -> None:
    """Queue the message again, end it, or wait for the provider's report.

    `bounce` is what the answer says about the address, recorded if the message ends. `relay_slack_s` is how long after
    the due time the relay leaves the message to Celery's retry.
    """
    reason = str(attempt.error or attempt.error_code)[:200]
    match decision:
        case Retry(after_s):
            due = Now() + timedelta(seconds=after_s)
            relay_after = Now() + timedelta(seconds=after_s + relay_slack_s)
            changes: dict[str, Any] = {"due_at": due, "relay_after": relay_after}
            event = Event.RETRY
        case GiveUp(cause):
            event = Event.FAILED
            changes = {"error_fingerprint": f"{attempt.provider}/{attempt.error_code}"[:150]}
            reason = f"{cause}: {reason}"[:200]
        case TooLate():
            event, changes = Event.EXPIRED, {}
            reason = f"{NO_TIME_LEFT}: {reason}"[:200]
        case _:
            event, changes = Event.RESPONSE_LOST, {}
    changes |= {"status_reason": reason, "attempts_forgiven": message.attempts_forgiven}
    _write_refusal(message, attempt, event, changes, bounce if event in {Event.FAILED, Event.EXPIRED} else None)


def attempt_of(
    message: Message, carrier: Carrier, provider: str, answer: Accepted | ProviderError, duration_s: float
) -> DeliveryAttempt:
    attempt = DeliveryAttempt(
        message=message,
        number=message.attempts,
        provider=provider,
        task_id=carrier.task_id,
        worker=carrier.worker,
        duration_ms=round(duration_s * 1000),
    )
    if isinstance(answer, Accepted):
        attempt.result = DeliveryAttempt.Result.ACCEPTED
        attempt.provider_message_id = answer.provider_message_id[:200]
    else:
        attempt.result = DeliveryAttempt.Result(answer.error_class.value)
        attempt.error_code = answer.code[:100]
        attempt.error = str(answer)[:300]
    return attempt


def _held(message: Message) -> QuerySet[Message]:
    return Message.objects.filter(id=message.id, lease_token=message.lease_token)


def _values_of(attempt: DeliveryAttempt) -> dict[str, Any]:
    return {field: getattr(attempt, field) for field in _COLUMNS}


def _write_refusal(
    message: Message, attempt: DeliveryAttempt, event: Event, changes: dict[str, Any], bounce: BounceKind | None
) -> None:
    def write() -> None:
        with short_transaction():
            # Locks the message before the attempt, like all code; the other order would deadlock.
            held = transitions.apply(event, _held(message), **changes)
            with connection.cursor() as cursor:
                cursor.execute(_REFUSED, {**_values_of(attempt), "accepted": DeliveryAttempt.Result.ACCEPTED})
            # If the claim is lost, the message may have been anonymized.
            if held and bounce:
                record_bounce(message, attempt, bounce)

    _write_result(write)


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
