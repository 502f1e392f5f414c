"""Actions on messages that show a confirmation page on GET and act on POST."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from notifications.admin.chosen import Chosen, NotChosenError, parse_chosen
from notifications.admin.large_lists import FORM_EXPIRED, LargeList
from notifications.admin.log import log_change
from notifications.admin.message_list import MessageList
from notifications.admin.read_only import ReadOnly
from notifications.admin.search import TidySearch
from notifications.models import Message
from notifications.operations.wording import grouped

#: The filters of the list whose action led to a confirmation. Without them, the page of a message did.
LIST_FILTERS = "list_filters"

_View = Callable[[HttpRequest, Chosen], HttpResponseBase]


class ConfirmedAction(ReadOnly, TidySearch, MessageList, LargeList):
    """A list of messages with acts, each on one message or on the chosen ones.

    An act has a name: part of its URL, of the URL's name and of `has_<name>_permission`.
    """

    most_chosen = 500
    list_select_related = False

    def may(self, request: HttpRequest, *codenames: str) -> bool:
        """Return whether the operator may view messages and has these permissions of the engine."""
        return self.has_view_permission(request) and request.user.has_perms(
            [f"notifications.{codename}" for codename in codenames]
        )

    def act_urls(self, act: str, view: _View, *, most: int = 0) -> list[URLPattern]:
        def checked(request: HttpRequest, message_id: UUID | None = None) -> HttpResponseBase:
            if not getattr(self, f"has_{act}_permission")(request):
                raise PermissionDenied
            try:
                chosen = {message_id: None} if message_id else parse_chosen(request.POST.get("messages", "").split())
            except NotChosenError:
                chosen = {}
            if chosen and len(chosen) <= (most or self.most_chosen):
                return view(request, chosen)
            text = _too_many(most or self.most_chosen) if chosen else str(FORM_EXPIRED)
            return self.refused(request, text, list(chosen))

        page = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(checked))
        name = f"notifications_{self.opts.model_name}_{act}"
        return [
            path(f"{act}/", page, name=f"{name}_many"),
            path(f"<uuid:message_id>/{act}/", page, name=name),
        ]

    def chosen_ids(self, request: HttpRequest, queryset: QuerySet[Message], most: int = 0) -> list[UUID]:
        # Over all pages if the operator chose all; none, with an error, if there are too many.
        most = most or self.most_chosen
        ids = list(queryset.values_list("id", flat=True)[: most + 1])
        if len(ids) <= most:
            return ids
        self.message_user(request, _too_many(most), messages.ERROR)
        return []

    def confirmation(
        self, request: HttpRequest, act: str, title: str, ids: Sequence[UUID], context: Mapping[str, Any]
    ) -> TemplateResponse:
        filters = _list_filters(request)
        is_of_one = filters is None and len(ids) == 1
        shared = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "list_url": self._list_url(filters),
            "list_filters": filters,
            "of_message": Message.objects.filter(id=ids[0]).first() if is_of_one else None,
            "back_url": self._back_url(request, ids),
            "post_url": reverse(f"admin:notifications_{self.opts.model_name}_{act}_many"),
        }
        template = f"admin/notifications/{self.opts.model_name}/{act}.html"
        return TemplateResponse(request, template, {**shared, **context})

    def refused(self, request: HttpRequest, text: str, ids: Sequence[UUID] = ()) -> HttpResponseRedirect:
        self.message_user(request, text, messages.ERROR)
        return self.back(request, ids)

    def back(self, request: HttpRequest, ids: Sequence[UUID]) -> HttpResponseRedirect:
        return HttpResponseRedirect(self._back_url(request, ids))

    def _back_url(self, request: HttpRequest, ids: Sequence[UUID]) -> str:
        # Where the operator came from.
        filters = _list_filters(request)
        return message_url(ids[0]) if filters is None and len(ids) == 1 else self._list_url(filters)

    def _list_url(self, filters: str | None) -> str:
        url = reverse(f"admin:notifications_{self.opts.model_name}_changelist")
        return f"{url}?{urlencode(parse_qsl(filters, keep_blank_values=True))}" if filters else url

    def log(self, request: HttpRequest, changed: Sequence[Message], text: str) -> None:
        # The history of each message shows the operator.
        log_change(acting_operator(request), changed, text)


def _list_filters(request: HttpRequest) -> str | None:
    # None if the operator did not come from a list.
    match = request.resolver_match
    if match and (match.url_name or "").endswith("_changelist"):
        return request.GET.urlencode()
    return request.POST.get(LIST_FILTERS)


def acting_operator(request: HttpRequest) -> AbstractBaseUser:
    # The admin has checked that an account has logged in.
    assert isinstance(request.user, AbstractBaseUser)  # noqa: S101
    return request.user


def message_url(message_id: Any) -> str:
    return reverse("admin:notifications_message_change", args=[message_id])


def changed_meanwhile(count: int) -> str:
    return _("Had already changed status: %(count)s.") % {"count": grouped(count)}


def _too_many(most: int) -> str:
    return _("Choose at most %(count)s messages. Nothing was changed.") % {"count": grouped(most)}
