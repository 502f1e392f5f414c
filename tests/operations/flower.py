"""Flower's state of tasks, made of the events of workers, and what it should show of a task."""

import json
from ast import literal_eval
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

from celery.events import EventDispatcher, EventReceiver
from flower.events import EventsState
from flower.utils.tasks import get_task_by_id
from kombu import Connection, Consumer

from config.celery import app
from notifications.delivery.fate import EARLIER, RESPONSE_LOST
from notifications.delivery.report import MOST_CAUSES
from notifications.models import Message
from notifications.rules.states import Status
from notifications.runtime.task_errors import DeadError
from notifications.runtime.task_names import task_name

#: The state of a task in Flower, by the status of its only message.
STATES = {
    Status.SENT: "SUCCESS",
    Status.SUPPRESSED: "SUCCESS",
    Status.CANCELLED: "SUCCESS",
    Status.EXPIRED: "SUCCESS",
    Status.DEAD: "FAILURE",
    Status.UNCERTAIN: "FAILURE",
    Status.QUEUED: "RETRY",
}


class Flower:
    """Flower's own code, which reads the events from a broker in memory."""

    def __init__(self) -> None:
        self._state = EventsState(max_tasks_in_memory=10_000)
        self._broker = Connection("memory://")
        channel = self._broker.channel()
        receiver = EventReceiver(channel, handlers={"*": self._state.event}, app=app)
        with_channel: Any = partial(Consumer, channel)
        (consumer,) = receiver.get_consumers(with_channel, channel)
        consumer.consume()

    def dispatcher(self, worker: str) -> EventDispatcher:
        dispatcher: EventDispatcher = app.events.Dispatcher(self._broker, hostname=worker)
        return dispatcher

    def task(self, task_id: str) -> dict[str, Any]:
        """Return what Flower's API answers about a task."""
        with suppress(TimeoutError):
            while True:
                self._broker.drain_events(timeout=0)
        task = get_task_by_id(SimpleNamespace(state=self._state), task_id)
        answer = json.dumps(task.as_dict() | {"worker": task.worker.hostname})
        return dict(json.loads(answer))

    def close(self) -> None:
        self._broker.close()


def check(task: Mapping[str, Any], messages: Sequence[Message]) -> None:
    """Fail if Flower does not show of an ended task what the rows of its messages say."""
    assert task["name"] == task_name([message.kind for message in messages])
    assert not [message for message in messages if message.user_id and message.to_address in str(task)]
    said = task["result"] if task["state"] == "SUCCESS" else task["exception"]
    if len(messages) == 1:
        _check_single(messages[0], task["state"], said)
    else:
        _check_group(messages, task["state"], said)


def _check_single(message: Message, state: str, said: str) -> None:
    status = Status(message.status)
    assert state == STATES[status]
    match status:
        case Status.DEAD:
            assert said == repr(DeadError(message.error_fingerprint))
        case Status.UNCERTAIN:
            assert f"UncertainError('{RESPONSE_LOST}" in said
        case Status.QUEUED:
            assert "QueuedError('" in said
            assert "QueuedError('')" not in said
        case _:
            word, _, why = literal_eval(said).partition(": ")
            assert word == status.value
            assert why
            assert why in {EARLIER, _reason(message)} or why in message.status_reason


def _reason(message: Message) -> str:
    attempt = message.delivery_attempts.order_by("number").last()
    return f"{attempt.provider} {attempt.provider_message_id}" if attempt else ""


def _check_group(messages: Sequence[Message], state: str, said: str) -> None:
    counts = Counter(Status(message.status) for message in messages)
    failed = {status: counts[status] for status in (Status.DEAD, Status.UNCERTAIN) if counts[status]}
    assert state == ("FAILURE" if failed else "SUCCESS")
    for status, count in failed.items():
        assert f"{count} of {len(messages)} {status.value}" in said
    causes = {message.error_fingerprint for message in messages if message.status == Status.DEAD}
    assert len(causes) > MOST_CAUSES or all(cause in said for cause in causes)
    assert not counts[Status.SENT] or f"{counts[Status.SENT]} sent" in said
