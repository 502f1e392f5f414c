from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from notifications.admin.read_only import ReadOnly
from notifications.admin.tasks import result_keys, task_link
from notifications.models import DeliveryAttempt
from notifications.support.reasons import attempt_in_words, detail_of


class AttemptInline(ReadOnly, admin.TabularInline):
    model = DeliveryAttempt
    results: Mapping[str, Any] = {}
    extra = 0
    can_delete = False
    readonly_fields = (
        *("number", "recorded_at", "provider", "result_in_words", "details", "provider_message_id", "took"),
        *("task", "worker"),
    )
    fields = readonly_fields

    @admin.display(description=_("result"))
    def result_in_words(self, attempt: DeliveryAttempt) -> str:
        return attempt_in_words(attempt)

    @admin.display(description=_("details"))
    def details(self, attempt: DeliveryAttempt) -> str:
        return detail_of(attempt)

    @admin.display(description=_("duration"))
    def took(self, attempt: DeliveryAttempt) -> str:
        return "" if attempt.duration_ms is None else f"{attempt.duration_ms} ms"

    @admin.display(description=_("Celery task"))
    def task(self, attempt: DeliveryAttempt) -> str | SafeString:
        return task_link(attempt.task_id, self.results)

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        # One query for all attempts. An inline lives as long as its request.
        tasks = [attempt.task_id for attempt in obj.delivery_attempts.all() if attempt.task_id] if obj else []
        self.results = result_keys(tasks)
        return super().get_formset(request, obj, **options)
