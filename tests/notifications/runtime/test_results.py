"""Celery's results are written as django-celery-results writes them, with one statement each."""

from types import SimpleNamespace

import pytest
from billiard.exceptions import WorkerLostError
from celery import states
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_results.backends import DatabaseBackend
from django_celery_results.models import TaskResult

from config.celery import app
from notifications.runtime.results import Results
from notifications.runtime.task_errors import DeadError

pytestmark = pytest.mark.django_db

STATES = [
    [(states.STARTED, {"pid": 7})],
    [(states.SUCCESS, "1 sent")],
    [(states.STARTED, {"pid": 7}), (states.SUCCESS, "Grüße, 1 sent")],
    [(states.RETRY, ValueError("late")), (states.FAILURE, ValueError("never"))],
]
VARYING = {"id", "task_id", "date_created", "date_started", "date_done"}


def fixed(row):
    return {name: value for name, value in row.items() if name not in VARYING}


def stored(backend, task_id, results):
    for state, result in results:
        backend.store_result(task_id, result, state, traceback="Traceback" if state == states.FAILURE else None)
    return TaskResult.objects.filter(task_id=task_id).values().get()


@pytest.mark.parametrize("results", STATES, ids=lambda results: results[-1][0])
def test_row_is_the_one_that_the_package_writes(results):
    ours, theirs = stored(Results(app), "ours", results), stored(DatabaseBackend(app), "theirs", results)
    assert {name: ours[name] for name in ours.keys() - VARYING} == {
        name: theirs[name] for name in theirs.keys() - VARYING
    }
    assert (ours["date_started"] is None) == (theirs["date_started"] is None)
    assert ours["date_created"] <= ours["date_done"]


@pytest.mark.parametrize("results", STATES, ids=lambda results: results[-1][0])
def test_result_costs_one_statement(results):
    with CaptureQueriesContext(connection) as statements:
        for state, result in results:
            Results(app).store_result("one", result, state)
    assert len(statements) == len(results)


def test_backend_reads_what_it_wrote():
    backend = Results(app)
    backend.store_result("one", "1 sent", states.SUCCESS)
    assert backend.get_task_meta("one")["result"] == "1 sent"


def test_error_that_tells_what_became_of_a_message_has_no_traceback():
    Results(app).store_result("one", DeadError("ses/MessageRejected"), states.FAILURE, traceback="Traceback")
    result = TaskResult.objects.get()
    assert (result.traceback, "ses/MessageRejected" in result.result) == (None, True)


def test_result_has_the_kind_and_the_ids():
    request = SimpleNamespace(
        task="mailroom.deliver", shadow="welcome \N{MULTIPLICATION SIGN}2", args=[["a", "b"]], argsrepr="2 messages"
    )
    Results(app).store_result("one", "2 sent", states.SUCCESS, request=request)
    result = TaskResult.objects.get()
    assert (result.task_name, result.task_args) == ("welcome", '[["a", "b"]]')


@pytest.mark.parametrize(
    ("shadow", "first", "state", "kept"),
    [
        ("welcome", "1 sent", states.SUCCESS, "first"),
        ("welcome", DeadError("ses/MessageRejected"), states.FAILURE, "first"),
        # The worker was killed during the task, so the second run is the one that counts.
        ("welcome", WorkerLostError("killed"), states.FAILURE, "second"),
        ("welcome", ValueError("late"), states.RETRY, "second"),
        # A project may reuse ids.
        (None, "1 row", states.SUCCESS, "second"),
    ],
)
def test_task_that_is_delivered_again_does_not_replace_its_result(shadow, first, state, kept):
    request = SimpleNamespace(task="a task", shadow=shadow, args=[["a"]], argsrepr="")
    results = Results(app)
    results.store_result("one", first, state, request=request)
    before = TaskResult.objects.get().result
    results.store_result("one", {"pid": 7}, states.STARTED, request=request)
    results.store_result("one", "nothing to do", states.SUCCESS, request=request)
    row = TaskResult.objects.get()
    assert ("first" if row.result == before else "second") == kept
    assert (row.status == state or kept == "second") is True


def test_what_a_replay_does_replaces_the_result():
    request = SimpleNamespace(task="a task", shadow="welcome", args=[["a"]], argsrepr="")
    results = Results(app)
    results.store_result("one", DeadError("ses/MessageRejected"), states.FAILURE, request=request)
    results.store_result("one", "sent: ses 1", states.SUCCESS, request=request)
    assert TaskResult.objects.get().status == states.SUCCESS


def test_result_of_another_task_is_as_celery_gives_it():
    request = SimpleNamespace(task="shop.reindex", shadow=None, args=[1], argsrepr="(1,)")
    Results(app).store_result("one", "done", states.SUCCESS, request=request)
    result = TaskResult.objects.get()
    assert (result.task_name, result.task_args) == ("shop.reindex", '"(1,)"')
