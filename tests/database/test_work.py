"""What workers and the relay do when the database is too busy, read-only or down."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from celery.app.trace import build_tracer
from django.db import connection
from django.db.models.functions import Now
from django_celery_results.models import TaskResult

from config import connections
from config.celery import app
from notifications import tasks
from notifications.delivery import record
from notifications.delivery.attempt import Carrier
from notifications.delivery.deliver import deliver
from notifications.management.commands import relay as relay_command
from notifications.models import Message
from notifications.outbox import recover, relay
from notifications.rules.states import Status, Stream
from notifications.runtime.database import DatabaseUnavailableError, raise_outage
from notifications.runtime.redis_client import client
from notifications.runtime.results import Results
from tests.database.faults import TERMINATE, raising, read_only, refused, trouble
from tests.factories import MessageFactory

pytestmark = pytest.mark.usefixtures("valkey")
on_rows = pytest.mark.django_db(transaction=True)

CARRIER = Carrier(task_id="task-1", worker="test@here")


@on_rows
def test_pool_smaller_than_the_threads_only_delays_messages(pooled, provider, monkeypatch):
    monkeypatch.setattr(connections, "WAIT_S", 0.2)
    pooled(size=2)
    messages = [MessageFactory() for _ in range(24)]
    connection.close()
    provider.script.extend([lambda mail: time.sleep(0.1)] * len(messages))
    refusals = []

    def as_celery_does(ids):
        while True:
            try:
                with raise_outage():
                    return deliver(ids, Stream.DEFAULT, CARRIER)
            except DatabaseUnavailableError as error:
                refusals.append(str(error))
            finally:
                connection.close()

    ids = [message.id for message in messages]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(as_celery_does, [ids[start : start + 3] for start in range(0, 24, 3)]))
    assert set(refusals) <= {"PoolTimeout"}
    # The relay recovers what a thread without a connection could not release.
    Message.objects.filter(status=Status.SENDING).update(lease_until=Now() - timedelta(seconds=1))
    recover.recover_ended_leases()
    Message.objects.filter(status=Status.QUEUED).update(due_at=Now())
    as_celery_does([message.id for message in Message.objects.filter(status=Status.QUEUED)])
    assert {mail.message_id for mail in provider.taken} == set(ids)
    assert len(provider.taken) == len(ids)
    assert set(Message.objects.values_list("status", "attempts")) == {(Status.SENT, 1)}


def traced(message):
    """Run the task as a worker does and return its state for Celery, None if it succeeded."""
    request = {"id": str(uuid4()), "delivery_info": {"routing_key": "default"}, "hostname": "test@here", "retries": 0}
    done = build_tracer(tasks.deliver.name, tasks.deliver, app=app)(request["id"], [[str(message.id)]], {}, request)
    return done.info and done.info.state


@on_rows
@pytest.mark.parametrize("fault", [refused, read_only])
def test_task_without_a_database_is_retried_and_has_called_no_provider(provider, fault):
    message = MessageFactory()
    with fault():
        assert traced(message) == "RETRY"
    assert provider.taken == []
    assert client().llen("default") == 1
    assert traced(message) is None
    assert Message.objects.get().status == Status.SENT


@on_rows
def test_task_whose_send_could_not_be_recorded_is_not_retried(provider, settings, monkeypatch):
    monkeypatch.setattr(record, "PAUSE_S", 0.01)
    settings.UNCERTAIN_SETTLE_S = 0.02
    message = MessageFactory()
    with trouble("notifications_deliveryattempt", raising("53100")):
        assert traced(message) == "FAILURE"
    assert client().llen("default") == 0
    assert (Message.objects.get().status, len(provider.taken)) == (Status.SENDING, 1)


@on_rows
@pytest.mark.parametrize("body", [raising("25006"), raising("53100"), TERMINATE])
def test_task_whose_result_cannot_be_written_succeeds(provider, body):
    message = MessageFactory()
    with trouble("django_celery_results_taskresult", body):
        assert traced(message) is None
    assert (Message.objects.get().status, len(provider.taken)) == (Status.SENT, 1)
    assert client().llen("default") == 0
    assert not TaskResult.objects.exists()


@on_rows
def test_result_is_written(provider):
    assert isinstance(app.backend, Results)
    traced(MessageFactory())
    assert TaskResult.objects.get().result == '"sent: scripted scripted-1"'


@on_rows
@pytest.mark.parametrize("fault", [refused, read_only])
def test_relay_without_a_database_keeps_running_and_publishes_when_it_is_back(fault, monkeypatch, tmp_path):
    monkeypatch.setenv("MAILROOM_HEARTBEAT_FILE", str(tmp_path / "beat"))
    MessageFactory()
    with fault():
        done, pause_s = relay_command._round(relay.Round())
        assert (done, pause_s) == (relay.Round(cut_short=True), relay_command.PAUSE_S)
        assert (tmp_path / "beat").exists()
    done, _ = relay_command._round(done)
    assert done.published == {Stream.DEFAULT: 1}
