"""The Celery application: the engine that moves messages. What must be remembered is in PostgreSQL."""

import atexit
import os
from typing import Any

import click
import django
from celery import Celery
from celery.signals import beat_init, import_modules, worker_init

from notifications.runtime import heartbeat, startup
from notifications.runtime.roles import Role
from notifications.runtime.watching import Heartbeat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("mailroom")
# `celery.current_app` is the current thread's; requests and publishers run in others.
app.set_default()
# Its own module, never django.conf:settings: `inspect conf` and Flower print the whole configuration of a worker.
app.config_from_object("config.celeryconfig")
app.autodiscover_tasks()
app.steps["consumer"].add(Heartbeat)


@worker_init.connect
def _require_worker_role(**kwargs: Any) -> None:
    # Celery logs an ordinary exception of a signal's receiver and goes on; this one ends the process.
    startup.start(Role.WORKER)


@beat_init.connect
def _require_beat_role(sender: Any, **kwargs: Any) -> None:
    startup.start(Role.BEAT)
    row = heartbeat.Row(heartbeat.name_of("beat"), sender.scheduler.trouble)
    row.start()
    sender.scheduler.keeper.start()
    # Beat has no signal for its end.
    atexit.register(heartbeat.remove)
    atexit.register(row.stop)
    atexit.register(sender.scheduler.keeper.stop)


@import_modules.connect
def _require_flower_password(**kwargs: Any) -> None:
    """Flower has no signal of its own, but it too imports the tasks, and does so before it listens."""
    context = click.get_current_context(silent=True)
    if context is not None and context.info_name == "flower":
        from config import flower_guard  # noqa: PLC0415 - no other process needs Flower

        flower_guard.require_password()
        django.setup()
        startup.start(Role.FLOWER, Role.MANAGE)
