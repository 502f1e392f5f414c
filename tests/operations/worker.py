"""A Celery worker without a process: it works only when a test says so, and its clock is the test's."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from celery.concurrency.solo import TaskPool
from celery.worker import state
from celery.worker.request import Request
from django_celery_results.models import TaskResult

from config.celery import app
from notifications.models import Message
from notifications.outbox.publish import queue_depths
from notifications.runtime.task_names import without_count
from notifications.tasks import deliver
from tests.operations.flower import Flower, check

NAME = "worker@here"


class Worker:
    """Takes tasks from the broker, runs them and sends their events, by Celery's own code.

    After each task, what Flower shows of it and its stored result are compared with the rows of its messages.
    """

    def __init__(self) -> None:
        self.flower = Flower()
        self.checked = 0
        self._broker = app.connection_for_read()
        self._channel: Any = self._broker.channel()
        self._pool = TaskPool()
        # Celery's own retries, which it holds until their ETA.
        self._retries: list[Any] = []
        self._receive = deliver.start_strategy(app, self._consumer())

    def _consumer(self) -> Any:
        # What Celery's code for receiving a task asks of the rest of a worker.
        return SimpleNamespace(
            hostname=NAME,
            connection_errors=(),
            event_dispatcher=self.flower.dispatcher(NAME),
            controller=SimpleNamespace(state=state),
            pool=self._pool,
            qos=SimpleNamespace(increment_eventually=lambda: None),
            timer=SimpleNamespace(call_at=self._hold),
            apply_eta_task=None,
            disable_rate_limits=True,
            task_buckets={deliver.name: None},
            on_task_request=self._run,
            _limit_task=None,
            _limit_post_eta=None,
        )

    def run_retries(self, now: datetime) -> int:
        due = [request for request in self._retries if request.eta <= now]
        self._retries = [request for request in self._retries if request.eta > now]
        for request in due:
            self._run(request)
        return len(due)

    def run_queued(self) -> int:
        """Run the tasks in the queues. Raises redis.RedisError."""
        lengths = queue_depths()
        for stream, length in lengths.items():
            for _ in range(length):
                message = self._channel.basic_get(stream.value)
                self._receive(message, None, message.ack_log_error, message.reject_log_error, ())
        return sum(lengths.values())

    def close(self) -> None:
        # Otherwise kombu would return them to the queue.
        for request in self._retries:
            request.acknowledge()
        self._broker.close()
        self.flower.close()

    def _hold(self, at: Any, apply: Any, arguments: tuple[Request], **options: Any) -> None:
        (request,) = arguments
        task = self.flower.task(request.id)
        assert task["state"] == "RECEIVED"
        assert "QueuedError(" in task["exception"]
        self._retries.append(request)

    def _run(self, request: Request) -> None:
        request.execute_using_pool(self._pool)
        (ids,) = request.args
        rows = Message.objects.in_bulk(ids)
        task = self.flower.task(request.id)
        check(task, [rows[UUID(message_id)] for message_id in ids])
        stored = TaskResult.objects.values_list("status", "task_name").get(task_id=request.id)
        assert stored == (task["state"], without_count(task["name"]))
        self.checked += 1
