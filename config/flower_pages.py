"""Add links to the admin and the backlog in PostgreSQL to Flower's pages."""

import re
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis
from celery import states
from django.conf import settings
from django.urls import reverse
from flower.events import PrometheusMetrics
from flower.utils import template as template_functions
from flower.views import BaseHandler
from flower.views.broker import BrokerView
from tornado.template import Loader, Template

from notifications.rules.states import Stream
from notifications.runtime import task_errors, waiting
from notifications.runtime.heartbeat import FLOWER_KEY, SERVED_FOR_S
from notifications.runtime.redis_client import client
from notifications.runtime.task_names import without_count

BEAT_S = 5.0
_OPEN = {states.RECEIVED, states.STARTED}
WORKER_LOST = "its worker stopped: the admin shows what happened to the messages"
# How `outbox.publish` shows the arguments of a task: a message's id, or how many of a stream.
_OURS = re.compile(r"[0-9a-f-]{36}|\d+ messages, \w+")
_RETRY = re.compile(r"Retry\(Retry\(\.\.\.\), (.+), [^,]*\)", re.DOTALL)
_OUR_ERRORS = tuple(error.__name__ for error in task_errors.DeliveryTaskError.__subclasses__())
# The row of Flower's page of a task before which the link to the admin stands.
BEFORE = '<div class="detail-row task-data-row">\n        <dt>Status</dt>'
_ROW = """{% if admin_url(task) %}<div class="detail-row task-data-row">
        <dt>In the admin</dt>
        <dd><a href="{{ admin_url(task) }}">{{ admin_url(task) }}</a></dd>
      </div>
      {% end %}"""

_of_known_workers = BaseHandler.get_active_queue_names
_render_broker = BrokerView.render
_observe_task = PrometheusMetrics.observe_task
_waiting: list[waiting.Waiting] = []


def admin_url(task: Any) -> str:
    """Return the admin's page of a task, empty if the task delivers no messages."""
    if not _OURS.fullmatch(task.args or ""):
        return ""
    return f"{settings.SITE_URL}{reverse('admin:notifications_message_task', args=[task.uuid])}"


def shown(task: Any) -> Any:
    """Return a task as the pages show it. The state is a copy of the events'."""
    # A worker holds a retry until it is due, and reports it as received.
    is_retry = task.state == states.RETRY or (task.state == states.RECEIVED and task.exception)
    if is_retry or task.state == states.FAILURE:
        # Celery sends the reason of a retry within another error.
        task.result = _RETRY.sub(r"\1", task.exception or "") or None
        if (task.result or "").startswith(_OUR_ERRORS):
            # Where it was raised says nothing about the messages.
            task.traceback = None
    elif task.result:
        task.result = task.result.removeprefix("'").removesuffix("'")
        # Of an earlier attempt.
        task.exception = task.traceback = None
    elif task.state in _OPEN and task.worker and not task.worker.alive:
        task.result = WORKER_LOST
    return task


class Pages(Loader):
    """Flower's templates, with the link to the admin on the page of a task."""

    def _create_template(self, name: str) -> Template:
        text = Path(self.root, name).read_text("utf-8")
        return Template(text.replace(BEFORE, _ROW + BEFORE), name=name, loader=self)


def add_to_pages() -> None:
    template_functions.admin_url = admin_url
    BaseHandler.create_template_loader = _loader
    BaseHandler.get_active_queue_names = _queue_names
    BrokerView.render = _broker_page
    PrometheusMetrics.observe_task = _observe


def start_beat() -> None:
    threading.Thread(target=_beat, name="flower-beat", daemon=True).start()


def rows(counts: list[waiting.Waiting]) -> list[dict[str, str]]:
    """Return the rows that the broker's page shows after its queues."""
    return [
        {"name": f"{each.stream}, {text}, in PostgreSQL", "messages": _number(number)}
        for each in counts
        for text, number in (("due", each.due), ("due later", each.later))
    ]


def _number(count: int) -> str:
    # The count stopped at the limit.
    return f"{count:,}+" if count >= waiting.MOST else f"{count:,}"


def _loader(self: Any, template_path: str) -> Pages:
    return Pages(template_path, whitespace=self.settings.get("template_whitespace"))


def _queue_names(self: Any) -> list[str]:
    # Flower asks the workers for their queues only when it starts, and after a power cut it often starts before them.
    return sorted({*_of_known_workers(self), *Stream.values})


def _broker_page(self: Any, name: str, **values: Any) -> Any:
    if "queues" in values:
        values["queues"] = [*values["queues"], *rows(_waiting)]
    return _render_broker(self, name, **values)


def _observe(self: Any, worker: str, event: dict[str, Any], task: Any) -> None:
    # One series for a kind, not one for each size of a group.
    name = without_count(event.get("name") or task.name or "")
    _observe_task(self, worker, {**event, "name": name}, task)


def _beat() -> None:
    # For the status page. The heartbeat is in Redis, because Flower does not connect to the database.
    pause = threading.Event()
    while True:
        with suppress(redis.RedisError):
            client().set(FLOWER_KEY, "1", ex=SERVED_FOR_S)
            _waiting[:] = waiting.read()
        pause.wait(BEAT_S)
