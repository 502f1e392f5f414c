"""The queue of django-mailer."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import QuerySet

from notifications.outbox.finished import EmailTerms
from notifications.outbox.moving.take_over import Queued
from notifications.rules.states import Stream

# Deferred emails, which have the fourth priority, wait for `retry_deferred`.
STREAMS = {1: Stream.CRITICAL, 2: Stream.DEFAULT, 3: Stream.BULK, 4: Stream.DEFAULT}
NOT_SENT = "2"


class UnreadableEmailError(ValueError):
    """The pickled email of a row cannot be read, as by a newer Django."""


class Mailer:
    def exclusive(self) -> AbstractContextManager[object]:
        # Its worker locks each row, and leaves those that another process has locked.
        return nullcontext()

    def waiting(self) -> "QuerySet[Any]":
        rows: QuerySet[Any] = apps.get_model("mailer", "Message").objects.all()
        return rows

    def read(self, row: Any) -> Queued:
        email = row.email
        if email is None:
            raise UnreadableEmailError
        return Queued(email=email, terms=EmailTerms(stream=STREAMS.get(row.priority, ""), key=f"mailer:{row.pk}"))

    def mark(self, row: Any, message_id: UUID) -> None:
        # As its worker does with what it has sent.
        log = apps.get_model("mailer", "MessageLog").objects
        log.log(row, NOT_SENT, log_message=f"queued in Mailroom as {message_id}")
        row.delete()
