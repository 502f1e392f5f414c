"""Call the receivers of `message_changed` for the changes that are due. At least once."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.db import connection
from django.db.transaction import TransactionManagementError

from notifications.models import Message, PendingChange
from notifications.rules import shadow
from notifications.rules.changes import MessageChange
from notifications.runtime.database import drop_connection
from notifications.signals import message_changed

# A claim postpones the change before a receiver is called. So a receiver that fails, hangs or kills its process is
# called again after a growing pause, other changes go on meanwhile, and no transaction is open during a call.
# `tries` identifies the claim: a later one is not undone by this one.

logger = logging.getLogger(__name__)

BATCH = 50
#: After this long, the rest of a batch is left to the next one, or to another relay.
SLICE_S = 5.0
#: The first pause, which doubles up to the longest.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 30.0, 3600.0
#: After this many tries, in a week, a change is given up.
MOST_TRIES = 175
NOT_RETURNED = "it does not return"

# Neither statement waits for the disk: if a crash of the server loses it, the receivers are called again. ARRAY: the
# planner uses the primary key, whatever its statistics say.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM notifications_change WHERE due_at <= statement_timestamp()
    ORDER BY due_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
UPDATE notifications_change SET tries = tries + 1,
    due_at = statement_timestamp()
        + least(%(first_s)s * 2 ^ least(tries, 20), %(longest_s)s) * interval '1 second'
FROM set_config('synchronous_commit', 'off', true)
WHERE id = ANY (ARRAY(SELECT id FROM due))
RETURNING id, message_id, change, at, tries, handled_by
"""
_RELEASE = """
UPDATE notifications_change AS change SET tries = change.tries - 1, due_at = statement_timestamp()
FROM unnest(%s::bigint[], %s::int[]) AS claimed (id, tries)
WHERE change.id = claimed.id AND change.tries = claimed.tries
"""
_DELETE = """
DELETE FROM notifications_change USING set_config('synchronous_commit', 'off', true) WHERE id = %s
"""
_SHOWN = ("kind", "idempotency_key", "user_id", "anonymized_at")
# The receivers that threads of this process are waiting for, by the id of the change.
_in_call: dict[int, str] = {}


@dataclass(frozen=True)
class _Claimed:
    id: int
    message_id: UUID
    change: MessageChange
    at: datetime
    tries: int
    handled_by: Sequence[str]


def dispatch(stopping: Callable[[], bool] = lambda: False) -> int:
    """Handle at most BATCH due changes, in order, and return how many were due. Raises database errors.

    Ends early if `stopping()` is true. Several processes may dispatch at the same time.
    """
    claimed = _claim()
    if not claimed:
        return 0
    messages = Message.objects.only(*_SHOWN).in_bulk([each.message_id for each in claimed])
    until = time.monotonic() + SLICE_S
    for place, each in enumerate(claimed):
        if stopping() or time.monotonic() > until:
            _release(claimed[place:])
            break
        _handle(each, messages.get(each.message_id))
    return len(claimed)


def _claim() -> list[_Claimed]:
    terms: dict[str, Any] = {"most": BATCH, "first_s": FIRST_PAUSE_S, "longest_s": LONGEST_PAUSE_S}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, terms)
        rows = sorted(cursor.fetchall())
    return [_Claimed(id_, message_id, MessageChange(change), *rest) for id_, message_id, change, *rest in rows]


def _release(claimed: Sequence[_Claimed]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [[each.id for each in claimed], [each.tries for each in claimed]])


def receivers_in_call() -> list[str]:
    """Return the names of the receivers that this process is calling now."""
    return list(_in_call.values())


def _handle(claimed: _Claimed, message: Message | None) -> None:
    handled, error = _call_receivers(claimed, message)
    if error and claimed.tries < MOST_TRIES:
        row = PendingChange.objects.filter(id=claimed.id)
        row.update(handled_by=[*claimed.handled_by, *handled], error=error[:300])
        return
    if error:
        logger.error("gave up after %s tries to report %s as %s", claimed.tries, claimed.message_id, claimed.change)
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, [claimed.id])


def _call_receivers(claimed: _Claimed, message: Message | None) -> tuple[list[str], str]:
    # Calls those that have not returned before. Returns the names of those that return now, and the last error.
    if message is None or message.kind == shadow.KIND:
        # It was deleted meanwhile, so there is no kind and no key to name. Or it is a copy, and no email.
        return [], ""
    if claimed.tries > MOST_TRIES:
        return [], "never returned"
    if name := _in_call.get(claimed.id):
        return [], f"{name}: {NOT_RETURNED}"
    handled, failed = [], ""
    for name, receiver in _named_receivers():
        if name in claimed.handled_by:
            continue
        if error := _call(name, receiver, claimed, message):
            failed = f"{name}: {error}"
        else:
            handled.append(name)
    return handled, failed


def _call(name: str, receiver: Callable[..., object], claimed: _Claimed, message: Message) -> str:
    # Returns the error, or an empty text.
    _in_call[claimed.id] = name
    try:
        receiver(
            signal=message_changed,
            sender=Message,
            message_id=message.id,
            kind=message.kind,
            # Of an anonymized message, only its id is left.
            key="" if message.anonymized_at else message.idempotency_key,
            change=claimed.change,
            at=claimed.at,
            user_id=message.user_id,
        )
        _require_no_transaction()
    except BaseException as error:  # the application's code: what it raises concerns this change only
        logger.exception("%s failed for %s of %s, try %s", name, claimed.change, claimed.message_id, claimed.tries)
        return type(error).__name__
    finally:
        del _in_call[claimed.id]
    return ""


def _require_no_transaction() -> None:
    # Without autocommit, nothing would be committed: neither what the receiver wrote nor that the change is handled.
    if not (connection.in_atomic_block or connection.get_autocommit()):
        drop_connection()
        raise TransactionManagementError("the receiver has turned autocommit off")


def _named_receivers() -> Iterator[tuple[str, Callable[..., object]]]:
    # Django's `send_robust` would call all of them again. The names are the same in each process.
    plain, asynchronous = message_changed._live_receivers(Message)  # noqa: SLF001 - Django has no public list
    calls = [*zip(plain, plain, strict=True), *zip(asynchronous, map(async_to_sync, asynchronous), strict=True)]
    seen = Counter[str]()
    for receiver, call in calls:
        name = f"{receiver.__module__}.{getattr(receiver, '__qualname__', type(receiver).__qualname__)}"
        seen[name] += 1
        yield (f"{name} ({seen[name]})" if seen[name] > 1 else name), call
