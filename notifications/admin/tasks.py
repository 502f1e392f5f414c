"""From a message to its tasks in Celery's results and in Flower, and back."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from notifications.admin.confirmed import message_url
from notifications.admin.large_lists import as_uuid
from notifications.conf import settings
from notifications.models import Message

RESULT_PAGE = "admin:django_celery_results_taskresult_change"


def result_keys(task_ids: Sequence[str]) -> Mapping[str, Any]:
    """Return the keys of those tasks' results, which exist only after the task has ended."""
    if not task_ids or not apps.is_installed("django_celery_results"):
        return {}
    results: Any = apps.get_model("django_celery_results", "TaskResult")
    return dict(results.objects.filter(task_id__in=task_ids).values_list("task_id", "pk"))


def tasks_of(message: Message) -> list[str]:
    """Return the ids of the tasks that attempted the message, the newest first."""
    tried = [attempt.task_id for attempt in message.delivery_attempts.all() if attempt.task_id]
    # A message without an attempt may have been in any task. The task of a single message has the message's id.
    return list(dict.fromkeys(reversed(tried))) or list(result_keys([str(message.id)]))


def flower_links(message: Message) -> str | SafeString:
    tasks = tasks_of(message) if settings.FLOWER_URL else []
    links = ((settings.FLOWER_URL, task_id, task_id) for task_id in tasks)
    return format_html_join(", ", '<a href="{}/task/{}">{}</a>', links) or "-"


def task_link(task_id: str, keys: Mapping[str, Any]) -> str | SafeString:
    if task_id not in keys:
        return task_id
    return format_html('<a href="{}">{}</a>', reverse(RESULT_PAGE, args=[keys[task_id]]), task_id)


@require_safe
def task_page(request: HttpRequest, task_id: str) -> HttpResponseRedirect:
    """Redirect from a task in Flower to its message, or to its result."""
    if not request.user.has_perm("notifications.view_message"):
        raise PermissionDenied
    message_id = as_uuid(task_id)
    if message_id and Message.objects.filter(id=message_id).exists():
        return HttpResponseRedirect(message_url(message_id))
    if key := result_keys([task_id]).get(task_id):
        return HttpResponseRedirect(reverse(RESULT_PAGE, args=[key]))
    raise Http404(_("No message and no result of this task."))


def message_ids(result: Model) -> list[UUID]:
    """Return the ids of the messages that a task delivers, from its result."""
    try:
        stored = json.loads(getattr(result, "task_args", "") or "")
    except ValueError:
        stored = None
    # Results of earlier releases have one text instead.
    named = stored[0] if isinstance(stored, list) and stored and isinstance(stored[0], list) else []
    texts = [*named] or [getattr(result, "task_id", "")]
    return [found for text in texts if (found := as_uuid(str(text)))]
