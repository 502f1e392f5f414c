"""The Celery application, with the site's settings. PostgreSQL stores what must not be lost."""

import os
from typing import Any

import click
import django
from celery import Celery
from celery.signals import import_modules

from notifications.runtime import startup
from notifications.runtime.celery import configure
from notifications.runtime.roles import Role

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("mailroom")
# Its own module, never django.conf:settings: `inspect conf` and Flower print the whole configuration of a worker.
app.config_from_object("config.celeryconfig")
configure(app)
app.autodiscover_tasks()


@import_modules.connect
def _require_flower_password(**kwargs: Any) -> None:
    # Flower has no signal of its own, but it imports the tasks too, before it listens.
    context = click.get_current_context(silent=True)
    if context is not None and context.info_name == "flower":
        from config import flower_guard  # noqa: PLC0415 - no other process needs Flower

        flower_guard.require_password()
        django.setup()
        startup.start(Role.FLOWER, Role.MANAGE)
