"""Delete old rows, in small batches. Docs: docs/reference/data-retention.md."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least, Now

from notifications.conf import settings
from notifications.models import DeliveryAttempt, Message, MessageContent, PendingChange, ProviderEvent, ShadowCopy
from notifications.models.transactions import short_transaction
from notifications.operations.rollups import first_open_hour
from notifications.rules.retention import kept_days
from notifications.rules.states import Status

#: Rows of a batch. Each is a transaction, so that no lock is held for long.
BATCH = 500
#: The limit of one run for one sort of rows; the next run continues. For all, shorter than what counts as stuck.
TIME_LIMIT_S = 120.0
#: A dry run counts up to this.
MOST_COUNTED = 1_000_000
#: Days after which a change is deleted that no process has offered to a receiver.
CHANGES_DAYS = 7
#: Days after which what `manage.py shadow_report` reads is deleted.
SHADOW_DAYS = 30
#: A first hour that is open for longer than this is one of a catch-up.
CAUGHT_UP = timedelta(days=1)
# Queued, sending and uncertain messages are never deleted. Dead letters have another setting.
_ENDED = [Status.SENT, Status.SUPPRESSED, Status.EXPIRED, Status.CANCELLED]
#: What stays is the digest, which shows whether a message with the same key has the same content.
ERASED: Mapping[str, Any] = {"packed": None, "further": [], "left_out": []}
_UNREAD = [ProviderEvent.State.STORED, ProviderEvent.State.PARKED]

#: Is called after each batch with the sort of rows and the number deleted so far.
Report = Callable[[str, int], object]


@dataclass(frozen=True, kw_only=True)
class Sort:
    """Rows that are kept for the same time."""

    name: str
    days: int | None  # None: for good
    rows: "QuerySet[Any]"
    #: The time that counts. An index has its order.
    by: str
    #: Later times that count too, where they are set.
    and_by: Sequence[str] = ()
    #: What is written to the rows, instead of deleting them.
    change: Mapping[str, Any] | None = None
    #: The first hour that the hourly counts have not finished, where they count these rows.
    uncounted: datetime | None = None

    @property
    def old(self) -> "QuerySet[Any]":
        if self.days is None:
            return self.rows.none()
        before: Any = Now() - timedelta(days=self.days)
        if self.uncounted:
            before = Least(before, self.uncounted)
        old = self.rows.filter(**{f"{self.by}__lt": before}).order_by(self.by)
        for name in self.and_by:
            old = old.filter(Q(**{name: None}) | Q(**{f"{name}__lt": before}))
        return old


def delete_old_rows(*, time_limit_s: float = TIME_LIMIT_S, report: Report = lambda name, count: None) -> str:
    """Delete what is too old; return what was deleted. Spends at most `time_limit_s` on each sort of rows."""
    sorts = [*_sorts(), _contents()]
    counts = {sort.name: _delete(sort, time.monotonic() + time_limit_s, report) for sort in sorts}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def count_old_rows() -> Iterator[tuple[str, int]]:
    """Count what `delete_old_rows` would delete, up to MOST_COUNTED of each sort."""
    for sort in [*_sorts(), _contents()]:
        yield sort.name, sort.old[:MOST_COUNTED].count()


def uncounted_since() -> datetime | None:
    """Return since when rows wait for the hourly counts; None if these have caught up."""
    first = first_open_hour()
    return first.astimezone(UTC) if datetime.now(UTC) - first > CAUGHT_UP else None


def kept_for() -> timedelta | None:
    """Return how long ended messages, and so idempotency keys, are kept; None: for good."""
    days = _days(settings.KEEP_MESSAGES_DAYS)
    return None if days is None else timedelta(days=days)


def _sorts() -> Iterator[Sort]:
    first = first_open_hour()
    messages = _counted(first)
    yield Sort(
        name="messages",
        days=_days(settings.KEEP_MESSAGES_DAYS),
        rows=messages.filter(status__in=_ENDED),
        by="created_at",
        # It may have been scheduled, retried or replayed long after it was written.
        and_by=("due_at", "sent_at"),
        uncounted=first,
    )
    yield Sort(
        name="dead letters",
        days=_days(settings.KEEP_DEAD_LETTERS_DAYS),
        rows=messages.filter(died_at__isnull=False),
        by="died_at",
        uncounted=first,
    )
    yield Sort(
        name="events",
        days=_days(settings.KEEP_EVENTS_DAYS),
        rows=ProviderEvent.objects.exclude(state__in=_UNREAD),
        by="received_at",
        uncounted=first,
    )
    # Since the last receiver was removed, no process handles them.
    yield Sort(name="changes", days=CHANGES_DAYS, rows=PendingChange.objects.all(), by="due_at")
    yield Sort(name="shadow copies", days=SHADOW_DAYS, rows=ShadowCopy.objects.all(), by="created_at")
    if apps.is_installed("django_celery_results"):
        for name, model in (("task results", "TaskResult"), ("group results", "GroupResult")):
            rows = apps.get_model("django_celery_results", model).objects.all()
            yield Sort(name=name, days=settings.KEEP_RESULTS_DAYS or None, rows=rows, by="date_done")


def _counted(first: datetime) -> "QuerySet[Message]":
    # A provider may report long after the email: then its message is deleted some hours later. Each newest row is one
    # step in the index of the message; the planner would join EXISTS with the whole table.
    attempts = DeliveryAttempt.objects.filter(message=OuterRef("pk")).order_by("-recorded_at").values("recorded_at")
    events = ProviderEvent.objects.filter(message=OuterRef("pk")).order_by("-received_at").values("received_at")
    last = [Coalesce(Subquery(newest[:1]), "created_at") for newest in (attempts, events)]
    return Message.objects.alias(last_attempt=last[0], last_event=last[1]).filter(
        last_attempt__lt=first, last_event__lt=first
    )


def _contents() -> Sort:
    # Dead letters need theirs for a replay.
    ended = MessageContent.objects.filter(packed__isnull=False, message__status__in=_ENDED)
    return Sort(
        name="contents",
        days=settings.KEEP_CONTENT_DAYS or None,
        rows=ended,
        by="created_at",
        and_by=("message__due_at", "message__sent_at"),
        change=ERASED,
    )


def _days(days: int) -> int | None:
    brake_days = settings.BOUNCE_BRAKE_WINDOW_MIN / 1440
    return kept_days(days, soft_bounce_days=settings.SOFT_BOUNCE_DAYS, brake_days=brake_days)


def _delete(sort: Sort, ends: float, report: Report) -> int:
    deleted, after = 0, None
    while time.monotonic() < ends:
        found = _delete_batch(sort, after)
        deleted += len(found)
        if found:
            report(sort.name, deleted)
        if len(found) < BATCH:
            break
        # The next statement does not read the older rows that stay.
        after = found[-1][1]
    return deleted


def _delete_batch(sort: Sort, after: datetime | None) -> list[tuple[Any, datetime]]:
    # Returns the keys and times of the deleted rows. Locked rows are left to the next run.
    rest = sort.old if after is None else sort.old.filter(**{f"{sort.by}__gte": after})
    with short_transaction():
        found = list(rest.select_for_update(skip_locked=True, of=("self",)).values_list("pk", sort.by)[:BATCH])
        old = sort.rows.model.objects.filter(pk__in=[pk for pk, _ in found])
        if sort.change is None:
            old.delete()
        else:
            old.update(**sort.change)
    return found
