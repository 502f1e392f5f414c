"""The shared parts of the lists of messages that wait for an operator."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods

from notifications.admin import chosen as page
from notifications.admin.large_lists import LargeChangeList, LargeList
from notifications.admin.read_only import ReadOnly
from notifications.admin.search import TidySearch
from notifications.models import Message


class MessagePages(LargeChangeList):
    """A list whose lines lead to the messages' own pages."""

    def url_for_result(self, result: Any) -> str:
        return message_url(result.pk)


class WaitingAdmin(ReadOnly, TidySearch, LargeList):
    """A list with one view, `act_view`, that asks on GET and acts on POST.

    It acts on one message or on those chosen.
    """

    act = ""
    most_at_once = 500
    prefixes = ["to_address__startswith"]
    search_help_text = "The beginning of an address, or a message id."
    list_select_related = False
    show_facets = admin.ShowFacets.ALWAYS

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("notifications.view_message")

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("notifications.resend_message")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return MessagePages

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self._allowed))
        name = f"notifications_{self.opts.model_name}_{self.act}"
        own = [
            path(f"{self.act}/", view, name=f"{name}_many"),
            path(f"<uuid:message_id>/{self.act}/", view, name=name),
        ]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(message_url(object_id))

    def act_view(self, request: HttpRequest, chosen: page.Chosen) -> HttpResponse:
        raise NotImplementedError

    def _allowed(self, request: HttpRequest, message_id: UUID | None = None) -> HttpResponse:
        if not self.has_resend_permission(request):
            raise PermissionDenied
        try:
            chosen = {message_id: None} if message_id else page.parse(request.POST.get("messages", "").split())
        except page.NotChosenError:
            chosen = {}
        if not chosen or len(chosen) > self.most_at_once:
            self.message_user(request, "This form has expired. Nothing was changed.", messages.ERROR)
            return self.back()
        return self.act_view(request, chosen)

    def chosen(self, request: HttpRequest, queryset: QuerySet[Message, Message]) -> list[UUID]:
        # Over all pages if so asked; none, with a message, if there are too many.
        ids = list(queryset.values_list("id", flat=True)[: self.most_at_once + 1])
        if len(ids) <= self.most_at_once:
            return ids
        text = f"At most {self.most_at_once:,} can be chosen at once. Nothing was changed."
        self.message_user(request, text, messages.ERROR)
        return []

    def back(self, ids: Sequence[UUID] = ()) -> HttpResponseRedirect:
        if len(ids) == 1:
            return HttpResponseRedirect(message_url(ids[0]))
        return HttpResponseRedirect(reverse(f"admin:notifications_{self.opts.model_name}_changelist"))

    def log(self, request: HttpRequest, changed: Sequence[Message], text: str) -> None:
        # The history of each message shows the operator.
        LogEntry.objects.log_actions(str(request.user.pk), changed, CHANGE, text)


def message_url(message_id: Any) -> str:
    return reverse("admin:notifications_message_change", args=[message_id])
