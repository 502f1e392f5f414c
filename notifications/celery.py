"""The Celery application of a project that has none: `celery -A notifications worker`."""

from celery import Celery

from notifications.runtime.celery import configure

app = Celery("mailroom")
configure(app)
app.autodiscover_tasks()
