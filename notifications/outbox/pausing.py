"""Pause and resume streams, kinds and providers."""

import logging
import time
from datetime import timedelta
from typing import LiteralString

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from notifications import pauses
from notifications.models import Pause
from notifications.rules.states import STATUSES, Stream

# Claims and the relay leave paused messages queued (`models.pause`). The relay finds the oldest due messages first, so
# it also parks those that are paused: their next relay time is their expiry. After the pause it makes them due again,
# in their old order. The lock on the pause's row makes its end wait for a statement that still parks because of it.

logger = logging.getLogger(__name__)

BATCH = 2000
#: After this long, the relay's round goes on, and the next round parks or releases the rest.
LONGEST_S = 1.0

_PARK = """
WITH paused AS MATERIALIZED (
    SELECT what, name FROM notifications_pause
    WHERE what <> 'provider' AND ended_at IS NULL AND (until IS NULL OR until > statement_timestamp())
    FOR SHARE
), due AS MATERIALIZED (
    SELECT id FROM notifications_message
    WHERE status = %(queued)s AND stream = %(stream)s
      AND relay_after <= statement_timestamp() AND due_at <= statement_timestamp()
    ORDER BY relay_after LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
UPDATE notifications_message
SET relay_after = coalesce(expires_at, statement_timestamp() + interval '1 hour')
WHERE id = ANY (ARRAY(SELECT id FROM due)) AND coalesce(expires_at > statement_timestamp(), true)
  AND EXISTS (
    SELECT FROM paused WHERE (what = 'stream' AND name = stream) OR (what = 'kind' AND name = kind)
  )
"""
# Locked rows are skipped: a worker or another relay holds them.
_RELEASE = """
WITH parked AS MATERIALIZED (
    SELECT id FROM notifications_message
    WHERE status = %(queued)s AND stream = %(stream)s
      AND relay_after > statement_timestamp() AND due_at <= statement_timestamp() AND (%(kind)s = '' OR kind = %(kind)s)
    ORDER BY relay_after LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
UPDATE notifications_message AS message SET relay_after = created_at, relayed = 0
FROM parked WHERE message.id = parked.id
"""


class AlreadyPausedError(Exception):
    """There is a pause of this in force. The first argument is that pause."""


def start_pause(what: str, name: str, *, by: str, reason: str, lasts: timedelta | None = None) -> Pause:
    """Pause a stream, a kind or a provider. Raises AlreadyPausedError."""
    end_those_over()
    until = None if lasts is None else Now() + lasts
    try:
        with transaction.atomic():
            made = Pause.objects.create(what=what, name=name, by=by[:150], reason=reason[:300], until=until)
    except IntegrityError:
        raise AlreadyPausedError(Pause.objects.in_force().filter(what=what, name=name).first()) from None
    made.refresh_from_db()
    pauses.forget()
    logger.warning("%s %s is paused by %s: %s", what, name, made.by, made.reason)
    return made


def end_pause(what: str, name: str, *, by: str) -> Pause | None:
    """End a pause and return it; None if there is none.

    The relay publishes its messages within seconds.
    """
    end_those_over()
    current = Pause.objects.filter(what=what, name=name, ended_at=None)
    paused = current.first()
    if not current.update(ended_at=Now(), ended_by=by[:150]):
        return None
    pauses.forget()
    logger.warning("%s %s is resumed by %s", what, name, by)
    return paused


def end_those_over() -> None:
    Pause.objects.over().update(ended_at=F("until"))


def park() -> set[Stream]:
    """Park due messages that are paused; return the streams that have more of them."""
    if not any(paused.what != Pause.What.PROVIDER for paused in pauses.in_force()):
        return set()
    until = time.monotonic() + LONGEST_S
    return {stream for stream in Stream if not _all_parked(stream, until)}


def release_ended() -> int:
    """Make the messages of ended pauses due again; return how many that were."""
    ended = list(Pause.objects.unreleased())
    if not ended:
        return 0
    end_those_over()
    until, count = time.monotonic() + LONGEST_S, 0
    for paused in ended:
        released, is_complete = _release(paused, until)
        count += released
        if is_complete:
            Pause.objects.filter(id=paused.id).update(is_released=True)
    return count


def _all_parked(stream: Stream, until: float) -> bool:
    # Mostly paused messages come first, so there may be more behind them.
    while _execute(_PARK, stream=stream.value) >= BATCH // 2:
        if time.monotonic() > until:
            return False
    return True


def _release(paused: Pause, until: float) -> tuple[int, bool]:
    count = 0
    for stream, kind in _scope(paused):
        released = BATCH
        # A smaller batch is the last: what another process publishes meanwhile was not parked.
        while released == BATCH:
            released = _execute(_RELEASE, stream=stream, kind=kind)
            count += released
            if released == BATCH and time.monotonic() > until:
                return count, False
    return count, True


def _scope(paused: Pause) -> list[tuple[str, str]]:
    # A stream and a kind, which is empty for all kinds. Messages of a provider are not parked.
    match paused.what:
        case Pause.What.STREAM:
            return [(paused.name, "")]
        case Pause.What.KIND:
            # An earlier release may have declared the kind with another stream.
            return [(stream.value, paused.name) for stream in Stream]
    return []


def _execute(statement: LiteralString, **terms: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**STATUSES, **terms, "most": BATCH})
        return int(cursor.rowcount)
