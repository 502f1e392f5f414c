"""The state and result of a task say what the rows of its messages say."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from celery.app.trace import build_tracer
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django_celery_results.models import TaskResult

from config.celery import app
from notifications import tasks
from notifications.delivery import fate
from notifications.models import Message
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.states import Status, Stream
from notifications.runtime.redis_client import client
from notifications.runtime.task_names import task_name
from tests.factories import MessageFactory
from tests.notifications.delivery.delivering import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def traced(*messages, retries=0):
    """Run the task as a worker does; return its stored result, and what it raised."""
    task_id = str(messages[0].id if len(messages) == 1 else uuid4())
    request = {
        "id": task_id,
        "delivery_info": {"routing_key": "default"},
        "hostname": "test@here",
        "retries": retries,
        "shadow": task_name([message.kind for message in messages]),
    }
    arguments = [[str(message.id) for message in messages]]
    trace = build_tracer(tasks.deliver.name, tasks.deliver, app=app)
    trace(task_id, arguments, {}, {**request, "args": arguments, "kwargs": {}})
    return TaskResult.objects.filter(task_id=task_id).first()


def said(result):
    value = json.loads(result.result)
    return value if isinstance(value, str) else (value["exc_type"], *value["exc_message"])


def status_of(message):
    return Message.objects.get(id=message.id).status


def test_sent_message_names_its_provider_and_id(provider):
    message = MessageFactory()
    result = traced(message)
    assert (result.status, said(result), status_of(message)) == ("SUCCESS", "sent: scripted scripted-1", "sent")
    assert (result.task_name, json.loads(result.task_args)) == ("welcome", [[str(message.id)]])


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (ErrorClass.PERMANENT, Status.DEAD, ("DeadError", "scripted/scripted")),
        (ErrorClass.AMBIGUOUS, Status.UNCERTAIN, ("UncertainError", "response lost (scripted/scripted)")),
    ],
)
def test_task_fails_with_its_message(provider, caplog, answer, status, error):
    message = MessageFactory()
    provider.script.append(answer)
    caplog.set_level("INFO", logger="celery.app.trace")
    result = traced(message)
    assert (result.status, said(result), status_of(message)) == ("FAILURE", error, status)
    assert result.traceback is None
    (line,) = [record for record in caplog.records if record.name == "celery.app.trace"]
    assert (line.levelname, line.exc_info) == ("INFO", None)


def test_failure_costs_no_more_statements_than_a_success(provider):
    run(MessageFactory())
    costs = []
    for answer in (None, ErrorClass.AMBIGUOUS):
        message = MessageFactory()
        provider.script.append(answer)
        with CaptureQueriesContext(connection) as statements:
            traced(message)
        costs.append([each["sql"] for each in statements if "taskresult" in each["sql"] and "INSERT" in each["sql"]])
    assert [len(statements) for statements in costs] == [1, 1]


@pytest.mark.parametrize(
    ("message", "status", "result"),
    [
        ({"user__is_active": False}, Status.CANCELLED, "cancelled: the account is closed"),
        ({"expires_at": Now()}, Status.EXPIRED, "expired: it expired before it could be sent"),
    ],
)
def test_message_that_is_not_sent_says_why(provider, message, status, result):
    message = MessageFactory(**message)
    stored = traced(message)
    assert (stored.status, said(stored), status_of(message)) == ("SUCCESS", result, status)


def test_message_that_celery_retries_is_in_retry(provider):
    message = MessageFactory()
    provider.script.append(ErrorClass.TRANSIENT)
    result = traced(message)
    assert (result.status, said(result)) == ("RETRY", ("QueuedError", "scripted/scripted"))
    assert (status_of(message), client().llen("default")) == ("queued", 1)
    # Its task comes too early or twice: it stays in retry, and is not published again.
    assert (traced(message).status, client().llen("default")) == ("RETRY", 1)


def test_message_that_the_relay_retries_is_in_retry_too(provider):
    message = MessageFactory()
    provider.script.append(ProviderError(ErrorClass.RATE_LIMITED, "429", retry_after_s=300))
    result = traced(message)
    assert (result.status, said(result)) == ("RETRY", ("QueuedError", "scripted/429"))
    assert (status_of(message), client().llen("default")) == ("queued", 0)


def test_second_task_of_a_dead_letter_does_not_report_success(provider):
    message = MessageFactory()
    provider.script.append(ErrorClass.PERMANENT)
    first, second = traced(message), traced(message)
    assert (second.status, said(second)) == (first.status, said(first))


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (Status.CANCELLED, "cancelled: before this task"),
        (Status.SENT, "sent: before this task"),
        (Status.SUPPRESSED, "suppressed: before this task"),
    ],
)
def test_task_that_comes_too_late_says_what_the_row_says(provider, status, result):
    sent_at = Now() if status is Status.SENT else None
    assert said(traced(MessageFactory(status=status, sent_at=sent_at))) == result


def test_task_of_a_message_that_another_worker_sends_reports_nothing(provider):
    assert traced(MessageFactory(sending=True)) is None


def test_task_of_a_deleted_message_says_so(provider):
    message = MessageFactory.build(user=None, to_address="gone@example.com")
    assert said(traced(message)) == f"cancelled: {fate.DELETED}"


def test_group_counts_the_dead_and_the_uncertain(provider):
    messages = MessageFactory.create_batch(4, stream=Stream.CRITICAL)
    provider.script.extend([None, ErrorClass.PERMANENT, ErrorClass.AMBIGUOUS, None])
    result = traced(*messages)
    error, text = said(result)
    assert (result.status, error) == ("FAILURE", "DeadError")
    dead, uncertain, counts = text.split("; ")
    assert dead == "1 of 4 dead: scripted/scripted"
    assert uncertain == f"1 of 4 uncertain: {fate.RESPONSE_LOST} (scripted/scripted)"
    assert "2 sent" in counts
    assert (result.task_name, json.loads(result.task_args)) == ("welcome", [[str(each.id) for each in messages]])


def test_group_of_which_all_are_sent_or_wait_succeeds(provider):
    late = MessageFactory(due_at=Now() + timedelta(seconds=30))
    result = traced(MessageFactory(), MessageFactory(), late)
    assert (result.status, said(result)) == ("SUCCESS", "2 sent")


def test_no_address_is_in_a_result(provider):
    messages = MessageFactory.create_batch(3)
    provider.script.extend(
        [None, ErrorClass.PERMANENT, ProviderError(ErrorClass.AMBIGUOUS, "timeout", messages[2].to_address)]
    )
    for message in messages:
        traced(message)
    assert "@example.com" not in str(list(TaskResult.objects.values()))
