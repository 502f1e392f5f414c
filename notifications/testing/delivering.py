"""Deliver in the test's process, through the engine that workers and the relay run."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import DateTimeField, F
from django.db.models.functions import Now

from notifications import pauses
from notifications.breaker import permits
from notifications.changes.dispatch import dispatch
from notifications.conf import settings
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.models import DeliveryAttempt, Message, PendingChange, Suppression
from notifications.outbox import brake_queue, pausing, recover
from notifications.rules.states import Status, Stream

_CARRIER = Carrier(task_id="", worker="test")


class ReceiverFailedError(AssertionError):
    """A receiver of `message_changed` has raised an error. The relay would log it and call the receiver again."""


def deliver_due() -> None:
    """Do what a round of the relay does, send what is due, and call receivers.

    Raises ReceiverFailedError.
    """
    with idle_limit_kept():
        recover.recover_ended_leases()
        recover.settle_uncertain()
        brake_queue.release_due()
        pausing.release_ended()
        for stream in Stream:
            due = _due(stream)
            for start in range(0, len(due), settings.RELAY_CHUNK_SIZE):
                deliver(due[start : start + settings.RELAY_CHUNK_SIZE], stream, _CARRIER)
        call_receivers()


def call_receivers() -> None:
    """Call the receivers of `message_changed` for what has changed. Raises ReceiverFailedError."""
    while dispatch():
        pass
    if failed := PendingChange.objects.exclude(error="").first():
        raise ReceiverFailedError(failed.error)


def pass_time(passed: timedelta) -> None:
    """Move the rows into the past, as though this time had passed."""
    for model in (Message, DeliveryAttempt, Suppression, PendingChange):
        names = [field.name for field in model._meta.concrete_fields if isinstance(field, DateTimeField)]  # noqa: SLF001 - Django documents it
        model._base_manager.update(**{name: F(name) - passed for name in names})  # noqa: SLF001 - the same
    # They are on other clocks: an open circuit lets a probe pass again.
    permits.reset()
    pauses.forget()


def _due(stream: Stream) -> list[UUID]:
    due = Message.objects.filter(stream=stream, status=Status.QUEUED, due_at__lte=Now())
    return list(due.order_by("created_at", "id").values_list("id", flat=True))


@contextmanager
def idle_limit_kept() -> Iterator[None]:
    # The engine limits how long some of its transactions may be idle. Here they are parts of the test's transaction,
    # which may wait in a debugger.
    if not connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('idle_in_transaction_session_timeout')")
        (limit,) = cursor.fetchone()
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [limit])
