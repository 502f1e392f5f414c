"""The Celery task that delivers messages."""

import threading
from typing import Any
from uuid import UUID

from celery import Task, shared_task
from celery.exceptions import Ignore, Retry
from celery.signals import worker_shutting_down

from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver as deliver_messages
from notifications.delivery.record import RecordLostError
from notifications.delivery.report import conclude
from notifications.rules.states import Stream
from notifications.runtime.database import DatabaseUnavailableError, raise_outage
from notifications.runtime.log_context import log_context
from notifications.runtime.task_errors import ClaimedError, DeliveryTaskError, QueuedError
from notifications.runtime.transport import DELIVER_TASK

_stopping = threading.Event()
#: Added to Celery's delays, because its clock is not the database's, and a claim before the due time fails.
LATER_S = 0.2
MAX_RETRIES = 12


@worker_shutting_down.connect
def _stop(**kwargs: Any) -> None:
    _stopping.set()


class Delivery(Task[..., str]):
    """Acknowledged late, because a redelivered task is harmless: its claim fails. Other tasks keep their settings."""

    acks_late = True
    reject_on_worker_lost = True
    acks_on_failure = True
    acks_on_timeout = True


@shared_task(
    name=DELIVER_TASK,
    bind=True,
    base=Delivery,
    # For errors before any hand-over. Celery never repeats an attempt: the row decides.
    autoretry_for=(DatabaseUnavailableError,),
    retry_backoff=1,
    retry_backoff_max=60,
    retry_jitter=True,
    max_retries=MAX_RETRIES,
    # Logged in one line.
    throws=(DatabaseUnavailableError, RecordLostError, DeliveryTaskError),
)
@raise_outage()
def deliver(self: Delivery, message_ids: list[str]) -> str:
    carrier = Carrier(task_id=self.request.id or "", worker=self.request.hostname or "")
    stream = Stream(str((self.request.delivery_info or {}).get("routing_key")))
    with log_context(task_id=carrier.task_id, message_ids=message_ids):
        report = deliver_messages([UUID(raw) for raw in message_ids], stream, carrier, stopping=_stopping.is_set)
    try:
        return conclude(report)
    except QueuedError as reason:
        raise _retry(self, reason, report.retry_in_s) from None
    except ClaimedError:
        # The other task reports.
        raise Ignore from None


def _retry(task: Task[..., str], reason: QueuedError, after_s: float | None) -> Retry:
    # RETRY is the state of a message that is queued again, whether Celery publishes it or the relay.
    if after_s is None or task.request.retries >= MAX_RETRIES:
        return Retry(f"queued: {reason}", exc=reason)
    return task.retry(exc=reason, countdown=after_s + LATER_S, throw=False)
