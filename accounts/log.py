"""The admin's log of operators' actions, also of those without an account."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from accounts.models import User
from notifications import TidySearch


@admin.register(LogEntry)
class LogEntryAdmin(TidySearch, admin.ModelAdmin):
    """Read only. An account's history page leaves out the actions of deleted accounts."""

    list_display = ("action_time", "by", "said", "content_type", "object_repr")
    list_filter = ("action_flag", "content_type", "action_time")
    search_fields = ("object_id", "=user_id")
    search_help_text = "The number of what was changed, or of the account that did it."
    list_display_links = None
    list_per_page = 50
    ordering = ("-pk",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        # Not a join, which would leave out whose account is gone.
        actor = User.objects.filter(pk=OuterRef("user_id")).values("email")[:1]
        entries: QuerySet[LogEntry] = super().get_queryset(request)
        return entries.select_related("content_type").annotate(actor=Subquery(actor))

    @admin.display(description="by")
    def by(self, entry: LogEntry) -> str:
        return getattr(entry, "actor", None) or f"account {entry.user_id}"

    @admin.display(description="what")
    def said(self, entry: LogEntry) -> str:
        return entry.get_change_message() or entry.get_action_flag_display()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # It names people by their addresses.
        return super().has_view_permission(request, obj) and request.user.has_perm("accounts.view_user")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
