"""Links between an account and its messages, for a project with any user model."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

USER = "user"


class LinksToMessages(BaseModelAdmin):
    """Links from the page of a user to the messages. Mix it in before a class of Django."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not request.user.has_perm("notifications.view_message"):
            return fieldsets
        return [*fieldsets, (gettext_lazy("Email"), {"fields": ["sent_messages"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "sent_messages"]

    @admin.display(description=gettext_lazy("messages"))
    def sent_messages(self, user: AbstractBaseUser) -> SafeString:
        return format_html('<a href="{}">{}</a>', messages_url(user), _("Messages to this account"))


class AccountFilter(admin.SimpleListFilter):
    """Shows that the list has the messages of one account. The list's queryset reads the parameter."""

    title = gettext_lazy("account")
    parameter_name = USER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        user = listed_account(request)
        if user is None:
            return []
        return [(str(user.pk), str(user) if may_view_account(request) else str(user.pk))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset


def messages_url(user: AbstractBaseUser) -> str:
    """Return the admin's list of the messages to a user."""
    return f"{reverse('admin:notifications_message_changelist')}?{urlencode({USER: user.pk})}"


def listed_account(request: HttpRequest) -> AbstractBaseUser | None:
    # The account whose messages are listed.
    model = get_user_model()
    try:
        key = model._meta.pk.to_python(request.GET.get(USER) or None)  # noqa: SLF001 - public, and documented
    except ValidationError:
        return None
    return None if key is None else model._default_manager.filter(pk=key).first()  # noqa: SLF001 - the same


def asks_for_account(request: HttpRequest) -> bool:
    return bool(request.GET.get(USER))


def may_view_account(request: HttpRequest) -> bool:
    meta = get_user_model()._meta  # noqa: SLF001 - the same
    return request.user.has_perm(f"{meta.app_label}.view_{meta.model_name}")
