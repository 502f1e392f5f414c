"""Celery's results are written as django-celery-results writes them, with one statement each."""

import pytest
from celery import states
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_results.backends import DatabaseBackend
from django_celery_results.models import TaskResult

from config.celery import app
from notifications.runtime.results import Results

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
