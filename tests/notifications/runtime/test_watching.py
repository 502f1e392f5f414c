"""A real worker in this process, and its watch."""

import math
import threading
import time
from contextlib import contextmanager

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from celery.signals import setup_logging
from celery.worker import state
from celery.worker.consumer import Consumer
from django.db import OperationalError

from config.celery import app as site
from notifications.models import ProcessHeartbeat
from notifications.runtime import celery, database, heartbeat, troubles, watchdog, watching
from notifications.runtime.consumer import PersistentConsumer
from notifications.runtime.heartbeat import served_key
from notifications.runtime.redis_client import client
from notifications.runtime.watching import Watch
from tests.live.running import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey", "quick")]
# Workers of other queues have no watch.
QUEUE = "bulk"


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """Shorten the times, and set the heartbeat file."""
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.1)
    monkeypatch.setattr(watchdog, "PATIENCE_S", 0.5)
    monkeypatch.setenv("MAILROOM_HEARTBEAT_FILE", str(tmp_path / "heartbeat"))


def nothing():
    """The task."""


OVER = threading.Event()


def stuck():
    OVER.wait(60)


@pytest.fixture
def app(settings):
    settings.MAILROOM_ROLE = "worker"
    app = Celery("watched", set_as_current=False)
    app.add_defaults(lambda: celery.options(app.conf))
    app.conf.result_backend = "disabled"
    app.steps["consumer"].add(watching.Heartbeat)
    app.task(name="nothing")(nothing)
    app.task(name="stuck")(stuck)
    # Without a receiver, Celery sets up logging for the whole process.
    setup_logging.connect(_leave_logging_alone)
    yield app
    setup_logging.disconnect(_leave_logging_alone)
    app.close()
    # A worker changes the process's current application.
    site.set_current()
    site.set_default()


def _leave_logging_alone(**kwargs):
    pass


@contextmanager
def working(app):
    options = {"pool": "threads", "concurrency": 2, "queues": [QUEUE], "hostname": "watched@here"}
    with start_worker(app, perform_ping_check=False, **options) as worker:
        yield worker


def row():
    return ProcessHeartbeat.objects.filter(name="watched@here").first()


def is_in(template):
    """Return whether the row has this trouble."""
    return row().trouble.startswith(template.partition("{")[0])


def touched():
    """Return whether the file is touched within 0.6 s."""
    before = heartbeat.path().stat().st_mtime_ns
    give_up_at = time.monotonic() + 0.6
    while time.monotonic() < give_up_at:
        if heartbeat.path().stat().st_mtime_ns != before:
            return True
        time.sleep(0.02)
    return False


def test_worker_that_takes_no_tasks_is_unhealthy_until_it_does(app):
    with working(app) as worker:
        eventually(lambda: row() and touched() and client().exists(served_key(QUEUE)))
        assert row().trouble == ""
        app.control.cancel_consumer(QUEUE)
        eventually(lambda: not worker.consumer.task_consumer.consuming_from(QUEUE))
        app.send_task("nothing", queue=QUEUE)
        eventually(lambda: is_in(troubles.TAKES_NONE))
        assert not touched()
        app.control.add_consumer(QUEUE)
        eventually(lambda: row().trouble == "" and touched())
        assert client().llen(QUEUE) == 0
    assert row() is None
    assert not heartbeat.path().exists()


@contextmanager
def stuck_tasks(app):
    """Run a worker whose stuck tasks end with the block."""
    OVER.clear()
    with working(app):
        eventually(lambda: row() and touched())
        try:
            yield
        finally:
            OVER.set()


def test_worker_whose_slots_are_all_stuck_is_unhealthy(app, monkeypatch):
    monkeypatch.setattr(watchdog, "ALL_STUCK_S", 1.0)
    with stuck_tasks(app):
        app.send_task("stuck", queue=QUEUE)
        eventually(lambda: len(state.active_requests) == 1)
        app.send_task("nothing", queue=QUEUE)
        eventually(lambda: client().llen(QUEUE) == 0)
        assert row().trouble == ""
        app.send_task("stuck", queue=QUEUE)
        eventually(lambda: is_in(troubles.ALL_STUCK))
        assert not touched()
        # During a database outage, waiting tasks are not stuck.
        monkeypatch.setattr(database, "_outage_seen_at", math.inf)
        eventually(lambda: row().trouble == "" and touched())


def test_stuck_thread_is_reported(app, monkeypatch):
    monkeypatch.setattr(watchdog, "STUCK_S", 0.5)
    with stuck_tasks(app):
        app.send_task("stuck", queue=QUEUE)
        eventually(lambda: is_in(troubles.ONE_STUCK))


def test_broker_outage_is_noticed(app, monkeypatch):
    monkeypatch.setattr(watchdog, "TURNS_WITHIN_S", 0.5)
    with working(app) as worker:
        eventually(lambda: row() and touched())
        (step,) = [step for step in worker.consumer.steps if isinstance(step, watching.Heartbeat)]
        # The consumer stops its steps when it loses its connection.
        step.stop(worker.consumer)
        eventually(lambda: is_in(troubles.CONSUMER_STUCK))
        assert not touched()
        step.start(worker.consumer)
        eventually(lambda: row().trouble == "" and touched())


def test_broker_outage_restarts_no_worker(app, monkeypatch):
    monkeypatch.setattr(watchdog, "TURNS_WITHIN_S", 0.5)
    with working(app) as worker:
        eventually(lambda: row() and touched())
        (step,) = [step for step in worker.consumer.steps if isinstance(step, watching.Heartbeat)]
        monkeypatch.setattr(step.watch, "_waiting", lambda: None)
        step.stop(worker.consumer)
        eventually(lambda: is_in(troubles.CONSUMER_STUCK))
        eventually(touched)


@pytest.mark.parametrize("method", ["ensure_connected", "on_connection_error_before_connected"])
def test_worker_that_starts_during_a_broker_outage_is_not_restarted(monkeypatch, method):
    class Connection:
        def ensure_connection(self, errback, *args, **kwargs):
            errback(ConnectionRefusedError(), 1)

    waiting = PersistentConsumer.__new__(PersistentConsumer)
    monkeypatch.setattr("notifications.runtime.consumer.PAUSE_S", 0)
    monkeypatch.setattr(Consumer, "on_connection_error_before_connected", lambda self, exc: None)
    getattr(waiting, method)(Connection())
    assert heartbeat.path().exists()


def test_database_outage_delays_no_task(app, monkeypatch):
    def away(*args):
        raise OperationalError("away")

    monkeypatch.setattr("notifications.runtime.heartbeat.beat", away)
    with working(app):
        eventually(lambda: heartbeat.path().exists())
        assert touched()
        app.send_task("nothing", queue=QUEUE)
        eventually(lambda: client().llen(QUEUE) == 0)
        assert row() is None


def test_worker_with_a_newly_free_slot_is_not_idle(monkeypatch):
    """All of its slots were busy for long, and one is free now."""

    class Consumer:
        app = Celery("idle", set_as_current=False)
        pool = type("Pool", (), {"num_processes": 2})

    watch = Watch(Consumer())
    watch.stop()
    watch._waiting = lambda: 5
    monkeypatch.setattr("celery.worker.state.active_requests", [1, 2])
    watch._busy_at -= 60
    assert watch.observe().idle_s < 1
    monkeypatch.setattr("celery.worker.state.active_requests", [1])
    assert watch.observe().idle_s < 1


def test_overdue_check_is_trouble():
    watch = Watch.__new__(Watch)
    watch._found, watch._checked_at = "", time.monotonic() - 60
    assert "60 s" in watch.trouble
