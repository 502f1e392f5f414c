"""Show the admin's log of operators' actions, including those of deleted accounts."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from notifications import TidySearch


@admin.register(LogEntry)
class LogEntryAdmin(TidySearch, admin.ModelAdmin):
    """A read-only list."""

    list_display = ("action_time", "by", "what", "content_type", "object_repr")
    list_filter = ("action_flag", "content_type", "action_time")
    search_fields = ("object_id", "=user_id")
    search_help_text = _("The id of the changed object, or of the account that changed it.")
    list_display_links = None
    list_per_page = 50
    ordering = ("-pk",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        # Not a join: that would leave out entries of deleted accounts.
        actor = User.objects.filter(pk=OuterRef("user_id")).values("email")[:1]
        entries: QuerySet[LogEntry] = super().get_queryset(request)
        return entries.select_related("content_type").annotate(actor=Subquery(actor))

    @admin.display(description=_("by"))
    def by(self, entry: LogEntry) -> str:
        return getattr(entry, "actor", None) or gettext("account %(number)s") % {"number": entry.user_id}

    @admin.display(description=_("change"))
    def what(self, entry: LogEntry) -> str:
        return entry.get_change_message() or entry.get_action_flag_display()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # The entries contain users' addresses.
        return super().has_view_permission(request, obj) and request.user.has_perm("accounts.view_user")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
