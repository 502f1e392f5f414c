"""Results of Celery tasks, read-only. A job prunes them: a busy site has several per second."""

import json
from typing import Any

import django_celery_results.admin  # noqa: F401 - it registers pages, which are replaced here
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_celery_results.models import GroupResult, TaskResult

from notifications.admin.confirmed import message_url
from notifications.admin.indexed_values import IndexedValues
from notifications.admin.large_lists import DayFilter, LargeList, ValuesFilter
from notifications.admin.read_only import ReadOnly
from notifications.admin.tasks import message_ids
from notifications.conf import settings
from notifications.models import Message
from notifications.operations.wording import grouped

#: The most messages of a group that a page shows.
MOST_MESSAGES = 100


class TaskResultAdmin(ReadOnly, LargeList, admin.ModelAdmin):
    newest_by = "date_done"
    list_display = ["task_id", "task_name", "status", "said", "worker", "date_done"]
    list_filter = [
        *(("status", ValuesFilter), ("task_name", ValuesFilter), ("worker", ValuesFilter)),
        DayFilter,
    ]
    values_from = {
        column: IndexedValues(table="django_celery_results_taskresult", column=column)
        for column in ("status", "task_name", "worker")
    }
    prefixes = ["task_id"]
    search_help_text = _("The complete id of a task. Without a search, the list shows the newest.")
    readonly_fields = ["said", "its_messages", "in_flower"]

    def get_fieldsets(self, request: HttpRequest, obj: TaskResult | None = None) -> Any:
        its_messages = ["its_messages"] if request.user.has_perm("notifications.view_message") else []
        return [
            (None, {"fields": ["task_id", "task_name", "status", "said", *its_messages, "in_flower"]}),
            (_("Details"), {"fields": ["worker", "date_created", "date_done", "traceback"]}),
        ]

    @admin.display(description=_("result"))
    def said(self, result: TaskResult) -> str:
        return task_result_in_words(result.result)

    @admin.display(description=_("messages"))
    def its_messages(self, result: TaskResult) -> str | SafeString:
        ids = message_ids(result)
        found = Message.objects.filter(id__in=ids[:MOST_MESSAGES]).only("id", "kind", "status").order_by("id")
        rows = [(message_url(each.id), each.id, each.kind, each.get_status_display()) for each in found]
        lines = format_html_join("", '<li><a href="{}">{}</a> {}: {}</li>', rows)
        if (more := len(ids) - MOST_MESSAGES) > 0:
            lines += format_html("<li>{}</li>", _("and %(count)s more") % {"count": grouped(more)})
        return format_html("<ul>{}</ul>", lines) if lines else "-"

    @admin.display(description=_("in Flower"))
    def in_flower(self, result: TaskResult) -> str | SafeString:
        if not settings.FLOWER_URL:
            return "-"
        return format_html('<a href="{}/task/{}">{}</a>', settings.FLOWER_URL, result.task_id, result.task_id)


def task_result_in_words(stored: str | None) -> str:
    """Return a result, which is stored as JSON: a text, or an error."""
    try:
        value: Any = json.loads(stored or "null")
    except ValueError:
        return str(stored)
    if value is None:
        return "-"
    if isinstance(value, dict) and "exc_type" in value:
        text = value.get("exc_message", "")
        return f"{value['exc_type']}: {', '.join(map(str, text)) if isinstance(text, list) else text}"
    return value if isinstance(value, str) else json.dumps(value)


# The engine starts no groups of tasks.
admin.site.unregister(GroupResult)
admin.site.unregister(TaskResult)
admin.site.register(TaskResult, TaskResultAdmin)
