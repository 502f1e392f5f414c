"""The Celery application: the engine that moves messages. What must be remembered is in PostgreSQL."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("mailroom")
# Its own module, never django.conf:settings: `inspect conf` and Flower print the whole configuration of a worker.
app.config_from_object("config.celeryconfig")
app.autodiscover_tasks()
