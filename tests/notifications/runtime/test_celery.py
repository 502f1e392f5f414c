"""What `configure` changes in a project's application, and what it leaves to the project."""

from types import SimpleNamespace

import pytest
from celery import Celery
from celery.beat import PersistentScheduler, Scheduler

from notifications.housekeeping import beat
from notifications.runtime import celery
from notifications.runtime.watching import Heartbeat
from notifications.tasks import deliver


@pytest.fixture
def app():
    """Return a function that makes the application of a project with these settings."""
    apps = []

    def make(**project):
        made = Celery("shop", set_as_current=False)
        # As with `namespace="CELERY"`, which most projects use.
        made.config_from_object(
            {f"CELERY_{name}".upper(): value for name, value in project.items()}, namespace="CELERY"
        )
        made.add_defaults(lambda: celery.options(made.conf))
        apps.append(made)
        return made

    yield make
    for each in apps:
        each.close()


def test_deliveries_are_acknowledged_late_whatever_the_project_says(app):
    conf = app(task_acks_late=False).conf
    assert not conf.task_acks_late
    assert deliver.acks_late
    assert deliver.reject_on_worker_lost
    assert deliver.acks_on_failure
    assert deliver.acks_on_timeout


def test_other_tasks_are_acknowledged_as_before(app):
    """A task that may not run twice must not, because the project installs the engine."""
    conf = app().conf
    assert not conf.task_acks_late
    assert not conf.task_reject_on_worker_lost


@pytest.mark.parametrize("given", [{}, {"visibility_timeout": 43_200}])
def test_tasks_may_take_and_wait_as_long_as_before(app, given):
    """After the visibility timeout, the broker gives a task to another worker, though it waits or runs."""
    options = app(broker_transport_options={**given, "socket_timeout": 99}).conf.broker_transport_options
    assert options.get("visibility_timeout") == given.get("visibility_timeout")
    assert options["socket_timeout"] != 99


@pytest.mark.parametrize(
    ("backend", "kept"),
    [
        ("redis://127.0.0.1/3", True),
        ("django-cache", True),
        ("django-db", False),
        ("django_celery_results.backends:DatabaseBackend", False),
        (None, False),
    ],
)
def test_results_stay_where_the_project_keeps_them(app, backend, kept):
    assert app(result_backend=backend).conf.result_backend == (backend if kept else celery.RESULTS)


class TheirScheduler(Scheduler):
    """Like one that reads the periodic tasks from a database."""


@pytest.mark.parametrize(
    ("given", "base"),
    [({}, PersistentScheduler), ({"beat_scheduler": f"{__name__}:TheirScheduler"}, TheirScheduler)],
    ids=["none", "theirs"],
)
def test_beat_runs_the_projects_scheduler_with_the_engines_jobs(app, tmp_path, given, base):
    made = app(**given, beat_schedule={"nightly": {"task": "reports.nightly", "schedule": 60}})
    scheduler = beat.scheduler(made, schedule_filename=str(tmp_path / "schedule"))
    try:
        assert isinstance(scheduler, base)
        assert "nightly" in scheduler.schedule
        assert scheduler.keeper
    finally:
        scheduler.close()


def test_beat_refuses_to_run_inside_a_worker(monkeypatch):
    monkeypatch.setattr("sys.argv", ["celery", "-A", "shop", "worker", "-B"])
    with pytest.raises(SystemExit, match="-B"):
        celery._start_beat(None)


def test_beat_refuses_a_scheduler_without_the_engines_jobs(settings, monkeypatch):
    monkeypatch.setattr(celery.startup, "start", lambda role: None)
    with pytest.raises(SystemExit, match="beat_scheduler"):
        celery._start_beat(SimpleNamespace(scheduler=PersistentScheduler))


@pytest.mark.parametrize(("queues", "watched"), [(["reports"], False), (["reports", "default"], True)])
def test_only_workers_of_streams_are_watched(app, queues, watched):
    """A project's report may take an hour; its worker is not unhealthy."""
    made = app()
    made.amqp.queues.select(queues)
    assert Heartbeat.include_if(Heartbeat, SimpleNamespace(app=made)) is watched
