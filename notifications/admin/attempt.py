from django.apps import apps
from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from notifications.admin.read_only import ReadOnly
from notifications.admin.reasons import attempt_in_words, detail_of
from notifications.models import DeliveryAttempt


class AttemptInline(ReadOnly, admin.TabularInline):
    model = DeliveryAttempt
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
        # The result exists only after the task has ended.
        if not attempt.task_id or not apps.is_installed("django_celery_results"):
            return attempt.task_id
        results = apps.get_model("django_celery_results", "TaskResult").objects
        result = results.filter(task_id=attempt.task_id).only("pk").first()
        if result is None:
            return attempt.task_id
        url = reverse("admin:django_celery_results_taskresult_change", args=[result.pk])
        return format_html('<a href="{}">{}</a>', url, attempt.task_id)
