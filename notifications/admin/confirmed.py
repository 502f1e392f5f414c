"""Actions on messages that show a confirmation page on GET and act on POST."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from notifications.admin.chosen import Chosen, NotChosenError, parse_chosen
from notifications.admin.large_lists import FORM_EXPIRED, LargeList
from notifications.admin.read_only import ReadOnly
from notifications.admin.search import TidySearch
from notifications.models import Message
from notifications.operations.wording import grouped


class ConfirmedAction(ReadOnly, TidySearch, LargeList):
    """A list of messages with one action, on one message or on the chosen ones."""

    # Part of the URL and of its name.
    act = ""
    template = ""
    most_chosen = 500
    prefixes = ["to_address__startswith"]
    list_select_related = False

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("notifications.resend_message")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self._checked))
        name = f"notifications_{self.opts.model_name}_{self.act}"
        added = [
            path(f"{self.act}/", view, name=f"{name}_many"),
            path(f"<uuid:message_id>/{self.act}/", view, name=name),
        ]
        return added + super().get_urls()

    def act_view(self, request: HttpRequest, chosen: Chosen) -> HttpResponseBase:
        raise NotImplementedError

    def _checked(self, request: HttpRequest, message_id: UUID | None = None) -> HttpResponseBase:
        if not self.has_resend_permission(request):
            raise PermissionDenied
        try:
            chosen = {message_id: None} if message_id else parse_chosen(request.POST.get("messages", "").split())
        except NotChosenError:
            chosen = {}
        if chosen and len(chosen) <= self.most_chosen:
            return self.act_view(request, chosen)
        return self.refused(request, self._too_many() if chosen else str(FORM_EXPIRED))

    def chosen_ids(self, request: HttpRequest, queryset: QuerySet[Message]) -> list[UUID]:
        # Over all pages if the operator chose all; none, with an error, if there are too many.
        ids = list(queryset.values_list("id", flat=True)[: self.most_chosen + 1])
        if len(ids) <= self.most_chosen:
            return ids
        self.message_user(request, self._too_many(), messages.ERROR)
        return []

    def confirmation(self, request: HttpRequest, title: str, context: Mapping[str, Any]) -> TemplateResponse:
        name = f"admin:notifications_{self.opts.model_name}"
        shared = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "list_url": reverse(f"{name}_changelist"),
            "post_url": reverse(f"{name}_{self.act}_many"),
        }
        return TemplateResponse(request, self.template, {**shared, **context})

    def refused(self, request: HttpRequest, text: str) -> HttpResponseRedirect:
        self.message_user(request, text, messages.ERROR)
        return self.back()

    def back(self, ids: Sequence[UUID] = ()) -> HttpResponseRedirect:
        # To the message, if it is one.
        if len(ids) == 1:
            return HttpResponseRedirect(message_url(ids[0]))
        return HttpResponseRedirect(reverse(f"admin:notifications_{self.opts.model_name}_changelist"))

    def log(self, request: HttpRequest, changed: Sequence[Message], text: str) -> None:
        # The history of each message shows the operator.
        LogEntry.objects.log_actions(str(request.user.pk), changed, CHANGE, text)

    def _too_many(self) -> str:
        text = _("Choose at most %(count)s messages. Nothing was changed.")
        return text % {"count": grouped(self.most_chosen)}


def message_url(message_id: Any) -> str:
    return reverse("admin:notifications_message_change", args=[message_id])


def changed_meanwhile(count: int) -> str:
    return _("Had already changed status: %(count)s.") % {"count": grouped(count)}
