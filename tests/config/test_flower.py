"""What Mailroom adds to Flower."""

import time
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import flower
import pytest
from celery.events.state import Task, Worker
from flower.utils import template as template_functions
from flower.views import BaseHandler
from flower.views.tasks import TASK_COLUMNS
from tornado.template import Loader

from config import flower_pages, flowerconfig
from config.processes import PROCESSES
from notifications.rules.states import Stream
from notifications.runtime.waiting import MOST, Waiting

TEMPLATES = Path(flower.__file__).parent / "templates"
MANY = "product-news \N{MULTIPLICATION SIGN}50"


def task(**fields):
    return Task(**{"uuid": str(uuid4()), "name": "welcome", "state": "SUCCESS", "args": str(uuid4()), **fields})


def test_broker_page_lists_every_queue_before_the_workers_answer():
    workers = {"main@here": {"active_queues": [{"name": "critical"}, {"name": "another"}]}, "bulk@here": {}}
    handler = SimpleNamespace(application=SimpleNamespace(workers=workers), capp=None)
    assert BaseHandler.get_active_queue_names(handler) == sorted({"another", *Stream.values})


def test_flower_is_started_with_its_configuration_and_keeps_its_history():
    (process,) = [process for process in PROCESSES if process.name == "flower"]
    assert {"--conf=config/flowerconfig.py", "--persistent=true", "--read_only=true"} <= set(process.command)


def test_columns_exist_in_flower():
    assert set(flowerconfig.tasks_columns.split(",")) <= set(TASK_COLUMNS)


@pytest.mark.parametrize("arguments", ["33b3cd87-5a07-45a4-ac9d-7f27bd1faf8f", "50 messages, bulk"])
def test_task_links_to_the_admin(arguments, settings):
    settings.SITE_URL = "https://mail.example.com"
    delivery = task(args=arguments)
    assert flower_pages.admin_url(delivery) == (
        f"https://mail.example.com/admin/notifications/message/task/{delivery.uuid}/"
    )


@pytest.mark.parametrize("arguments", [None, "", "(1, 2)", "50 messages, bulk<script>"])
def test_another_task_does_not(arguments):
    assert flower_pages.admin_url(task(args=arguments)) == ""


def test_page_of_a_task_has_the_link():
    # If this fails after an upgrade of Flower: its template of a task has another form.
    assert flower_pages.BEFORE in (TEMPLATES / "task.html").read_text()
    loader = flower_pages.Pages(str(TEMPLATES))
    functions = {name: getattr(template_functions, name) for name in ("humanize", "format_value", "task_link")}
    delivery = task()
    page = (
        loader.load("task.html")
        .generate(
            **functions,
            task=delivery,
            read_only=True,
            admin_url=flower_pages.admin_url,
            reverse_url=lambda *_: "/",
            static_url=str,
            url_prefix="",
            current_user="operator",
            handler=SimpleNamespace(application=SimpleNamespace(options=SimpleNamespace(auth=""))),
            _tt_modules=SimpleNamespace(Template=lambda *_, **__: ""),
        )
        .decode()
    )
    assert f'<a href="{flower_pages.admin_url(delivery)}">' in page


def test_only_the_page_of_a_task_is_changed():
    ours, theirs = flower_pages.Pages(str(TEMPLATES)), Loader(str(TEMPLATES))
    for name in ("broker.html", "tasks.html", "workers.html"):
        assert ours.load(name).code == theirs.load(name).code


@pytest.mark.parametrize("state", ["FAILURE", "RETRY"])
def test_error_is_shown_as_the_result(state):
    shown = flower_pages.shown(
        task(state=state, exception="DeadError('ses/MessageRejected')", traceback="Traceback …", result="'old'")
    )
    assert (shown.result, shown.traceback) == ("DeadError('ses/MessageRejected')", None)


@pytest.mark.parametrize(("state", "when"), [("RETRY", "None"), ("RETRY", "2.35"), ("RECEIVED", "2.35")])
def test_reason_of_a_retry_is_shown(state, when):
    shown = flower_pages.shown(
        task(state=state, exception=f"Retry(Retry(...), QueuedError('ses/http-503'), {when})", traceback="Traceback")
    )
    assert (shown.result, shown.traceback) == ("QueuedError('ses/http-503')", None)


def test_traceback_of_an_unexpected_error_is_shown():
    assert flower_pages.shown(task(state="FAILURE", exception="KeyError('x')", traceback="Traceback")).traceback


def test_success_after_a_retry_shows_no_error():
    shown = flower_pages.shown(task(result="'sent: ses 1'", exception="QueuedError('ses/503')", traceback="Traceback"))
    assert (shown.result, shown.exception, shown.traceback) == ("sent: ses 1", None, None)


def test_task_without_a_result_is_shown():
    assert flower_pages.shown(task(state="STARTED")).result is None


@pytest.mark.parametrize(("heard_s_ago", "result"), [(1, None), (600, flower_pages.WORKER_LOST)])
def test_task_of_a_stopped_worker_says_so(heard_s_ago, result):
    worker = Worker("main@here", heartbeats=[time.time() - heard_s_ago])
    assert flower_pages.shown(task(state="STARTED", worker=worker)).result == result


def test_broker_page_shows_what_waits_in_postgresql():
    due, later = flower_pages.rows([Waiting(stream="bulk", due=MOST, later=12)])
    assert [row["messages"] for row in (due, later)] == ["10,000+", "12"]
    assert all(row["name"].startswith("bulk, ") for row in (due, later))


def test_metrics_have_one_series_for_a_kind(monkeypatch):
    seen = []
    monkeypatch.setattr(flower_pages, "_observe_task", lambda _, worker, event, task: seen.append(event["name"]))
    flower_pages._observe(None, "main@here", {"type": "task-received", "name": MANY}, task(name=MANY))
    flower_pages._observe(None, "main@here", {"type": "task-succeeded"}, task(name=MANY))
    flower_pages._observe(None, "main@here", {"type": "task-started"}, task(name=None))
    assert seen == ["product-news", "product-news", ""]
