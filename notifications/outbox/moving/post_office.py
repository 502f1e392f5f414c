"""The queue of django-post_office."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Q, QuerySet
from django.utils import timezone

from notifications.outbox.finished import EmailTerms
from notifications.outbox.moving.take_over import BusyError, Queued
from notifications.rules.states import Stream

SENT, QUEUED, REQUEUED = 0, 2, 3
# low, medium, high, now
STREAMS = {0: Stream.BULK, 1: Stream.DEFAULT, 2: Stream.CRITICAL, 3: Stream.CRITICAL}


class PostOffice:
    @contextmanager
    def exclusive(self) -> Iterator[None]:
        # Its worker holds this lock while it sends, if it runs on this machine.
        module: Any = import_module("post_office.lockfile")
        try:
            with module.FileLock(module.default_lockfile):
                yield
        except module.FileLocked as error:
            raise BusyError from error

    def waiting(self) -> "QuerySet[Any]":
        # As its worker, which leaves expired emails where they are.
        is_valid = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        rows: QuerySet[Any] = apps.get_model("post_office", "Email").objects.filter(
            is_valid, status__in=[QUEUED, REQUEUED]
        )
        return rows

    def read(self, row: Any) -> Queued:
        return Queued(
            email=row.email_message(),
            terms=EmailTerms(
                stream=STREAMS.get(row.priority, ""),
                key=f"post_office:{row.pk}",
                send_at=_aware(row.scheduled_time),
            ),
            expires_at=_aware(row.expires_at),
        )

    def mark(self, row: Any, message_id: UUID) -> None:
        # It has no status for this one. A failed email could be queued again.
        type(row).objects.filter(pk=row.pk).update(status=SENT, last_updated=timezone.now())
        row.logs.create(status=SENT, message=f"queued in Mailroom as {message_id}")


def _aware(time: datetime | None) -> datetime | None:
    # With USE_TZ off, times are naive.
    return timezone.make_aware(time) if time is not None and timezone.is_naive(time) else time
