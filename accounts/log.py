"""Show the admin's log of operators' actions, including those of deleted accounts."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import FormerStaff, User
from notifications import DayFilter, LargeList, TidySearch

# What a search reads.
MOST_USERS = 100
MOST_FOUND = 1_000
# Of an account's id.
MOST_DIGITS = 9


@admin.register(LogEntry)
class LogEntryAdmin(TidySearch, LargeList):
    """A read-only list."""

    list_display = ("action_time", "by", "what", "content_type", "object_repr")
    list_filter = ("action_flag", "content_type", DayFilter)
    search_help_text = _(
        "The id of the changed object, or the id or the beginning of the address of the account that changed it."
    )
    list_display_links = None
    ordering = ("-action_time",)
    newest_by = "action_time"

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        # Not a join: that would leave out entries of deleted accounts.
        actor = User.objects.filter(pk=OuterRef("user_id")).values("email")[:1]
        former = FormerStaff.objects.filter(number=OuterRef("user_id")).values("name")[:1]
        entries: QuerySet[LogEntry] = super().get_queryset(request)
        return entries.select_related("content_type").annotate(actor=Subquery(actor), former=Subquery(former))

    def find(self, rows: QuerySet[LogEntry], term: str) -> Iterator[int]:
        users = list(User.objects.filter(email__startswith=term.lower()).values_list("pk", flat=True)[:MOST_USERS])
        if term.isascii() and term.isdigit() and len(term) <= MOST_DIGITS:
            users.append(int(term))
        for found in (rows.filter(object_id=term), rows.filter(user_id__in=users)):
            yield from found.order_by("-pk").values_list("pk", flat=True)[:MOST_FOUND]

    @admin.display(description=_("by"))
    def by(self, entry: LogEntry) -> str:
        number = gettext("account %(number)s") % {"number": entry.user_id}
        actor, former = getattr(entry, "actor", None), getattr(entry, "former", None)
        return actor or (f"{former} ({number})" if former else number)

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
