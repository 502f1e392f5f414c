"""Take over what another package has queued, in the transactions that mark it there."""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.core.mail import EmailMessage
from django.db import models, router, transaction
from django.db.models import F
from django.db.models.functions import Least

from notifications.models import Message
from notifications.models.transactions import short_transaction
from notifications.outbox.finished import EmailTerms, enqueue_finished
from notifications.runtime.database import is_outage

BATCH = 100


@dataclass(frozen=True, kw_only=True)
class Queued:
    """An email that another package has queued. After `expires_at`, it is not sent."""

    email: EmailMessage
    terms: EmailTerms
    expires_at: datetime | None = None


class Source(Protocol):
    """The queue of another package, whose app is installed."""

    def exclusive(self) -> AbstractContextManager[object]:
        """Keep the package from sending meanwhile, as far as its locks go. Raises BusyError."""

    def waiting(self) -> "models.QuerySet[Any]":
        """Return the rows that the package would send, now or later."""

    def read(self, row: Any) -> Queued:
        """Return the email of a row, rendered. May raise any error, such as one of a template."""

    def mark(self, row: Any, message_id: UUID) -> None:
        """Change the row so that the package does not send it."""


class BusyError(RuntimeError):
    """The other package is sending now."""


class OtherDatabaseError(RuntimeError):
    """No transaction can change the other package's rows together with Mailroom's."""


@dataclass
class Takeover:
    """What was found. `unreadable` has the key of each row that cannot be queued, with the name of its error."""

    by_stream: Counter[str] = field(default_factory=Counter)
    without_recipients: int = 0
    unreadable: list[tuple[Any, str]] = field(default_factory=list)


def take_over(source: Source, *, dry_run: bool = False) -> Takeover:
    """Queue the waiting rows and mark them in the other package. Return what was found.

    Rows that another process has locked are left out. An interrupted call keeps its finished batches, and another call
    does the rest. Raises BusyError, OtherDatabaseError and database errors.
    """
    tally, last = Takeover(), None
    _require_one_database(source)
    with source.exclusive():
        while True:
            with short_transaction():
                rows = _next_rows(source, last)
                for row in rows:
                    _take(source, row, tally, dry_run=dry_run)
            if not rows:
                return tally
            last = rows[-1].pk


def _require_one_database(source: Source) -> None:
    if router.db_for_write(source.waiting().model) != router.db_for_write(Message):
        raise OtherDatabaseError


def _next_rows(source: Source, last: Any) -> Sequence[Any]:
    rows = source.waiting().order_by("pk").select_for_update(skip_locked=True, of=("self",))
    return list((rows if last is None else rows.filter(pk__gt=last))[:BATCH])


def _take(source: Source, row: Any, tally: Takeover, *, dry_run: bool) -> None:
    # A dry run does the same and undoes it.
    try:
        with transaction.atomic():
            message = _queue(source, row)
            transaction.set_rollback(dry_run)
    except Exception as error:
        if is_outage(error):
            raise
        tally.unreadable.append((row.pk, type(error).__name__))
        return
    if message:
        tally.by_stream[message.stream] += 1
    else:
        tally.without_recipients += 1


def _queue(source: Source, row: Any) -> Message | None:
    found = source.read(row)
    if not found.email.recipients():
        return None
    (message,) = enqueue_finished([(found.email, found.terms)])
    if found.expires_at:
        Message.objects.filter(id=message.id).update(expires_at=Least(F("expires_at"), found.expires_at))
    source.mark(row, message.id)
    return message
