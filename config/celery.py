"""The Celery application, with the site's settings."""

import os
from typing import Any

import django
from celery import Celery
from celery.signals import import_modules

from notifications.runtime import flower_login, startup
from notifications.runtime.celery import configure
from notifications.runtime.roles import Role

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


# Before the engine's receiver, which requires a log-in.
@import_modules.connect
def _prepare_flower(**kwargs: Any) -> None:
    if flower_login.is_flower():
        from config import flower_guard, flower_history  # noqa: PLC0415 - no other process needs Flower

        flower_guard.read_password()
        flower_history.keep_history()
        django.setup()
        startup.start(Role.FLOWER, Role.MANAGE)


app = Celery("mailroom")
# A separate module, never django.conf:settings: `inspect conf` and Flower print a worker's whole configuration.
app.config_from_object("config.celeryconfig")
configure(app)
app.autodiscover_tasks()
