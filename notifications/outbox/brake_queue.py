"""The messages that the bounce brake holds back, and their release."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle
from typing import Any, LiteralString
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from notifications.bounce_brake import brake
from notifications.bounce_brake.decision import releasable_now, release_wait_s
from notifications.conf import settings
from notifications.models import Message, transitions
from notifications.models.transactions import short_transaction
from notifications.rules.states import STATUSES, Event, Status

# The relay releases held messages slowly and fairly; an operator can release or drop them. A held message is queued,
# with `slowed_until` in the future. Each step computes the order of all, so early messages cannot push later ones far
# back.

logger = logging.getLogger(__name__)

FULL = "dropped: too many sign-ups waited for the bounce brake"
DROPPED = "dropped by an operator from the bounce brake's queue"
#: How long a released message counts against its client and domain.
MEMORY = timedelta(hours=1)
#: How long a row keeps when it was held back, and for which client.
KEPT_FOR = timedelta(days=1)
TIDY_BATCH = 1000
#: Messages dropped per round: a flood takes several rounds, so that none takes long.
DROP_BATCH = 1000
_client_first = cycle((True, False))
# An advisory lock of PostgreSQL: only one relay at a time releases messages.
_QUEUE_LOCK = 0x4D61696C

# The relay asks it in each round. The status is a subquery, so that the planner cannot read all queued messages.
_COUNT = """
SELECT
    (SELECT count(*) FROM (
        SELECT FROM notifications_message
        WHERE slowed_until > statement_timestamp() AND status = (SELECT %(queued)s::text) LIMIT %(most)s
    ) AS waiting),
    extract(epoch FROM statement_timestamp() - (
        SELECT max(slowed_until) FROM notifications_message WHERE slowed_until <= statement_timestamp()
    ))::float
"""
# Two orders: by the number of earlier messages of the same client, and by that of earlier messages to the same domain.
# A message takes the better of its two places, so one client with a thousand domains, and a thousand clients with one
# domain, delay only themselves. For equal places, the two orders take precedence alternately. Messages released within
# the last hour count for their client and domain.
_ORDER = """
WITH counted AS (
    SELECT id, status, created_at, slowed_until > statement_timestamp() AS waits,
        row_number() OVER (
            PARTITION BY coalesce(nullif(slowed_for, ''), id::text)
            ORDER BY slowed_until > statement_timestamp(), created_at, id
        ) AS of_client,
        row_number() OVER (
            PARTITION BY split_part(to_address, '@', 2)
            ORDER BY slowed_until > statement_timestamp(), created_at, id
        ) AS of_domain
    FROM notifications_message WHERE slowed_until > statement_timestamp() - %(memory)s
), placed AS (
    SELECT id, created_at,
        row_number() OVER (ORDER BY of_client, created_at, id) AS by_client,
        row_number() OVER (ORDER BY of_domain, created_at, id) AS by_domain
    FROM counted WHERE waits AND status = %(queued)s
)
SELECT id FROM placed
ORDER BY least(by_client, by_domain), CASE WHEN %(client_first)s THEN by_client ELSE by_domain END, created_at, id
"""
_DOMAINS = """
SELECT split_part(to_address, '@', 2) AS domain, count(*), count(DISTINCT slowed_for) FROM notifications_message
WHERE slowed_until > statement_timestamp() AND status = %(queued)s
GROUP BY domain ORDER BY count(*) DESC, domain LIMIT %(most)s
"""


@dataclass(frozen=True, kw_only=True)
class Domain:
    """The waiting messages to a domain, and the clients that caused them."""

    name: str
    waiting: int
    clients: int


def release_due() -> int:
    """Release due messages, drop the excess, and return how many were released.

    The relay calls this in each round. While no message waits, it costs one cheap statement.
    """
    waiting, since_last_s = _count()
    if not waiting:
        return 0
    if not brake.is_on():
        return release()
    go = releasable_now(since_last_s, settings.BOUNCE_BRAKE_PER_MIN)
    if not go and waiting <= settings.BOUNCE_BRAKE_QUEUE:
        return 0
    with short_transaction():
        return _step() if _is_only_relay() else 0


def release(domain: str = "") -> int:
    # For one domain, or for all.
    gone = _release(_waiting(domain))
    if gone:
        logger.warning("released %s messages that the bounce brake held back", gone)
    return gone


def drop(domain: str = "", *, reason: str = DROPPED) -> int:
    # For one domain, or for all.
    return _drop(_waiting(domain), reason)


def domains(most: int = 10) -> list[Domain]:
    # The domains with the most waiting messages.
    return [
        Domain(name=name, waiting=waiting, clients=clients) for name, waiting, clients in _rows(_DOMAINS, most=most)
    ]


def waiting_count(domain: str = "") -> int:
    return len(_waiting(domain)) if domain else _count()[0]


def place_of(message_id: UUID) -> tuple[int, float] | None:
    """Return how many messages leave the queue before this one, and when it does (seconds).

    None if it is not in the queue. The order changes with each message that joins.
    """
    order = [row[0] for row in _rows(_ORDER, memory=MEMORY, client_first=True)]
    if message_id not in order:
        return None
    ahead = order.index(message_id)
    # Without the brake, the relay's next round releases all.
    wait_s = release_wait_s(ahead, _count()[1], settings.BOUNCE_BRAKE_PER_MIN) if brake.is_on() else 0.0
    return ahead, wait_s


def prune() -> int:
    # For privacy, old rows lose their client.
    old = Message.objects.filter(slowed_until__lt=Now() - KEPT_FOR).values_list("id", flat=True)[:TIDY_BATCH]
    return Message.objects.filter(id__in=list(old)).update(slowed_until=None, slowed_for="")


def _step() -> int:
    # The transaction holds the lock of the queue. Count again: another relay may just have released messages.
    _, since_last_s = _count()
    go = releasable_now(since_last_s, settings.BOUNCE_BRAKE_PER_MIN)
    order = [row[0] for row in _rows(_ORDER, memory=MEMORY, client_first=next(_client_first))]
    if dropped := _drop(order[go + settings.BOUNCE_BRAKE_QUEUE :][-DROP_BATCH:], FULL):
        logger.warning("dropped %s sign-up emails: too many waited for the bounce brake", dropped)
    return _release(order[:go])


def _count() -> tuple[int, float | None]:
    # Counts no further than the number matters.
    ((count, since_last_s),) = _rows(_COUNT, most=10 * settings.BOUNCE_BRAKE_QUEUE)
    return count, since_last_s


def _is_only_relay() -> bool:
    ((mine,),) = _rows("SELECT pg_try_advisory_xact_lock(%(lock)s)", lock=_QUEUE_LOCK)
    return bool(mine)


def _waiting(domain: str) -> list[UUID]:
    waits = Message.objects.filter(status=Status.QUEUED, slowed_until__gt=Now())
    if domain:
        waits = waits.filter(to_address__iendswith=f"@{domain}")
    return list(waits.order_by("created_at").values_list("id", flat=True))


def _release(ids: Sequence[UUID]) -> int:
    # A released message is due immediately.
    with transaction.atomic():
        return _locked(ids).update(due_at=Now(), relay_after=Now(), slowed_until=Now())


def _drop(ids: Sequence[UUID], reason: str) -> int:
    with transaction.atomic():
        gone = transitions.apply(Event.CANCELLED, _locked(ids), status_reason=reason, slowed_until=None, slowed_for="")
        return len(gone)


def _locked(ids: Sequence[UUID]) -> QuerySet[Message]:
    # Locked rows are skipped: the deletion of an account holds them.
    held = Message.objects.filter(id__in=ids, status=Status.QUEUED, slowed_until__gt=Now()).order_by("id")
    return Message.objects.filter(id__in=list(held.select_for_update(skip_locked=True).values_list("id", flat=True)))


def _rows(statement: LiteralString, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**STATUSES, **values})
        return list(cursor.fetchall())
