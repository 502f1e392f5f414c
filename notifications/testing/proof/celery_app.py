"""The Celery application of the proof's worker: the project's, or else the engine's."""

import django
from celery.app import app_or_default

from notifications.runtime.celery import configure, is_configured

# Imports the settings, and with them the package of the project that creates its application.
django.setup()

app = app_or_default()
if not is_configured(app):
    configure(app)
    app.autodiscover_tasks()
