"""The heartbeat of beat."""

import time

import pytest
from celery import Celery

from notifications.housekeeping import beat
from notifications.runtime import celery, heartbeat


@pytest.fixture
def scheduler(tmp_path, monkeypatch):
    monkeypatch.setenv("MAILROOM_HEARTBEAT_FILE", str(tmp_path / "heartbeat"))
    app = Celery("beat", set_as_current=False)
    app.add_defaults(lambda: celery.options(app.conf))
    app.conf.result_backend = "disabled"
    app.conf.beat_schedule = {}
    scheduler = beat.scheduler(app, schedule_filename=str(tmp_path / "schedule"))
    yield scheduler
    scheduler.close()
    app.close()


def test_each_turn_of_the_loop_is_a_heartbeat(scheduler):
    assert scheduler.trouble() == ""
    assert not heartbeat.path().exists()
    assert 0 <= scheduler.tick() <= heartbeat.EVERY_S
    assert heartbeat.path().exists()


def test_stuck_loop_is_reported(scheduler):
    scheduler.tick()
    scheduler.turned_at = time.monotonic() - 40
    assert "40 s" in scheduler.trouble()
    scheduler.tick()
    assert scheduler.trouble() == ""


def test_celery_s_own_clean_up_is_scheduled_for_other_backends_only(tmp_path):
    app = Celery("beat", set_as_current=False)
    app.add_defaults(lambda: celery.options(app.conf))
    schedules = []
    for backend in (celery.RESULTS, "django-db"):
        app.conf.result_backend = backend
        scheduler = beat.scheduler(app, schedule_filename=str(tmp_path / backend))
        schedules.append(set(scheduler.schedule))
        scheduler.close()
        app._local.__dict__.pop("backend", None)
    app.close()
    assert schedules == [set(), {"celery.backend_cleanup"}]
