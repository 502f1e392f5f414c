"""The Celery application, with the site's settings."""

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
# A separate module, never django.conf:settings: `inspect conf` and Flower print a worker's whole configuration.
app.config_from_object("config.celeryconfig")
configure(app)
app.autodiscover_tasks()


@import_modules.connect
def _require_flower_password(**kwargs: Any) -> None:
    # Celery sends no signal when Flower starts, but Flower imports the tasks before it listens.
    context = click.get_current_context(silent=True)
    if context is not None and context.info_name == "flower":
        from config import flower_guard  # noqa: PLC0415 - no other process needs Flower

        flower_guard.require_password()
        django.setup()
        startup.start(Role.FLOWER, Role.MANAGE)
