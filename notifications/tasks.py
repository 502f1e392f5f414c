"""The Celery task that delivers messages."""

import threading
from typing import Any
from uuid import UUID

from celery import Task, shared_task
from celery.signals import worker_shutting_down

from notifications.delivery.deliver import deliver as deliver_messages
from notifications.delivery.record import Carrier, RecordLostError
from notifications.rules.states import Stream
from notifications.runtime.database import DatabaseUnavailableError, raise_outage
from notifications.runtime.transport import DELIVER_TASK

_stopping = threading.Event()
#: Added to Celery's delays, because its clock is not the database's, and a claim before the due time fails.
LATER_S = 0.2
MAX_RETRIES = 12


@worker_shutting_down.connect
def _stop(**kwargs: Any) -> None:
    _stopping.set()


@shared_task(
    name=DELIVER_TASK,
    bind=True,
    # For errors before any hand-over. Celery never repeats an attempt: the row decides.
    autoretry_for=(DatabaseUnavailableError,),
    retry_backoff=1,
    retry_backoff_max=60,
    retry_jitter=True,
    max_retries=MAX_RETRIES,
    throws=(DatabaseUnavailableError, RecordLostError),
)
@raise_outage()
def deliver(self: Task[..., str], message_ids: list[str]) -> str:
    carrier = Carrier(task_id=self.request.id or "", worker=self.request.hostname or "")
    stream = Stream(str((self.request.delivery_info or {}).get("routing_key")))
    report = deliver_messages([UUID(raw) for raw in message_ids], stream, carrier, stopping=_stopping.is_set)
    if report.retry_in_s is not None and self.request.retries < MAX_RETRIES:
        raise self.retry(countdown=report.retry_in_s + LATER_S)
    return str(report)
