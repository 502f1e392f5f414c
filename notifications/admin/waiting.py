"""The shared parts of the lists of messages that wait for an operator."""

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from notifications.admin.confirmed import ConfirmedAction, message_url
from notifications.admin.large_lists import LargeChangeList


class MessagePages(LargeChangeList):
    """A list that links to the messages' pages."""

    def url_for_result(self, result: Any) -> str:
        return message_url(result.pk)


class WaitingAdmin(ConfirmedAction):
    """A list of a proxy of Message. Its permissions are those of Message."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("notifications.view_message")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return MessagePages

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(message_url(object_id))
