"""Results of Celery tasks, kept for a week: a busy site has several per second."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django_celery_results.admin import TaskResultAdmin as CeleryTaskResultAdmin
from django_celery_results.models import GroupResult, TaskResult

from notifications.admin.large_lists import DayFilter, LargeList, ValuesFilter


class TaskResultAdmin(LargeList, CeleryTaskResultAdmin):  # type: ignore[misc]
    newest_by = "date_done"
    date_hierarchy = None  # type: ignore[assignment]
    list_filter = [  # type: ignore[assignment]
        *(("status", ValuesFilter), ("task_name", ValuesFilter), ("worker", ValuesFilter)),
        DayFilter,
    ]
    prefixes = ["task_id"]
    search_help_text = _("The complete id of a task. Without a search, the list shows the newest.")


# The engine starts no groups of tasks.
admin.site.unregister(GroupResult)
admin.site.unregister(TaskResult)
admin.site.register(TaskResult, TaskResultAdmin)
