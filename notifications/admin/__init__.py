from django.apps import apps
from django.contrib import admin

from notifications.admin.dashboard import add_dashboard
from notifications.admin.dead import DeadLetterAdmin
from notifications.admin.event import ProviderEventAdmin
from notifications.admin.message import MessageAdmin
from notifications.admin.suppression import SuppressionAdmin
from notifications.admin.uncertain import UncertainMessageAdmin

__all__ = [
    "DeadLetterAdmin",
    "MessageAdmin",
    "ProviderEventAdmin",
    "SuppressionAdmin",
    "UncertainMessageAdmin",
]

add_dashboard(admin.site)

# A project may keep Celery's results elsewhere, or none.
if apps.is_installed("django_celery_results"):
    from notifications.admin import task_result  # noqa: F401 - it registers the page
