"""Count and cancel the queued messages that match a filter, in small batches."""

import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.expressions import Combinable

from notifications.models import Message, transitions
from notifications.outbox.cancel import CANCELLED_BY
from notifications.outbox.scheduled import SCHEDULED
from notifications.rules.states import Event, Status, Stream

# The index of queued messages is in the order of their relay times. A filter reads them page by page in this order, so
# that each statement is short, whatever the filter is and however few messages match.

logger = logging.getLogger(__name__)

PAGE = 2000
BATCH = 500
#: Where a count stops: matching messages, and messages read.
MOST_COUNTED = 10_000
MOST_READ = 100_000
_FIRST = datetime(1, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class QueuedFilter:
    """Empty fields match everything.

    `since` and `until` are about when the message was created. `is_scheduled`: due later, and not tried yet.
    """

    stream: str = ""
    kind: str = ""
    domain: str = ""
    since: datetime | Combinable | None = None
    until: datetime | Combinable | None = None
    is_scheduled: bool = False

    @property
    def is_empty(self) -> bool:
        return self == QueuedFilter()

    @property
    def condition(self) -> Q:
        # The stream selects the pages.
        found = Q(status=Status.QUEUED)
        if self.kind:
            found &= Q(kind=self.kind)
        if self.domain:
            found &= Q(to_address__endswith=f"@{self.domain.lower()}")
        if self.since:
            found &= Q(created_at__gte=self.since)
        if self.until:
            found &= Q(created_at__lt=self.until)
        return found & SCHEDULED if self.is_scheduled else found


@dataclass(frozen=True)
class Count:
    """`is_more`: there may be more than were counted."""

    found: int
    is_more: bool = False


def count(wanted: QueuedFilter) -> Count:
    found = read = 0
    for page, ids in _pages(wanted):
        found, read = found + len(ids), read + page
        if found >= MOST_COUNTED or read >= MOST_READ:
            return Count(min(found, MOST_COUNTED), is_more=True)
    return Count(found)


def cancel_matching(wanted: QueuedFilter, *, who: str, why: str, longest_s: float = math.inf) -> Count:
    """Cancel matching messages and return how many; `is_more` if the time was over first.

    A message that a worker has claimed is not cancelled.
    """
    until, done = time.monotonic() + longest_s, 0
    reason = CANCELLED_BY.format(who=who, why=why)[:200]
    for _, ids in _pages(wanted):
        for start in range(0, len(ids), BATCH):
            done += _cancel(ids[start : start + BATCH], reason)
            if time.monotonic() > until:
                return Count(done, is_more=True)
        # Few of many messages may match.
        if time.monotonic() > until:
            return Count(done, is_more=True)
    logger.warning("%s cancelled %s queued messages (%s): %s", who, done, wanted, why)
    return Count(done)


def _pages(wanted: QueuedFilter) -> Iterator[tuple[int, list[UUID]]]:
    # The number of messages read, and the ids of those that match.
    matches = ExpressionWrapper(wanted.condition, output_field=BooleanField())
    for stream in [wanted.stream] if wanted.stream else Stream.values:
        after, last = _FIRST, UUID(int=0)
        queued = Message.objects.filter(status=Status.QUEUED, stream=stream).annotate(matches=matches)
        while page := list(
            queued.filter(Q(relay_after__gt=after) | Q(id__gt=last), relay_after__gte=after)
            .order_by("relay_after", "id")
            .values_list("relay_after", "id", "matches")[:PAGE]
        ):
            after, last, _ = page[-1]
            yield len(page), [message_id for _, message_id, is_match in page if is_match]


def _cancel(ids: Sequence[UUID], reason: str) -> int:
    # Locked rows are skipped: a worker claims them, or an account is being deleted.
    with transaction.atomic():
        free = Message.objects.filter(id__in=ids, status=Status.QUEUED).order_by("id")
        mine = list(free.select_for_update(skip_locked=True).values_list("id", flat=True))
        gone = transitions.apply(
            Event.CANCELLED,
            Message.objects.filter(id__in=mine),
            status_reason=reason,
            slowed_until=None,
            slowed_for="",
        )
        return len(gone)
