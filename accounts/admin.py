"""The admin pages of users and groups."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.fields import KeepsName
from accounts.flows import by_staff
from accounts.log import LogEntryAdmin
from accounts.models import User
from notifications import DayFilter, LargeList, LinksToMessages, SoundChoice, TidySearch

__all__ = ["GroupAdmin", "LogEntryAdmin", "UserAdmin"]

# Only a superuser grants or revokes these.
PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")

LOG = LogEntry._meta  # noqa: SLF001 - Django's own name for it, and documented


class UserAddForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")


class UserEditForm(KeepsName, UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The form posts the address that the page showed, so that an address changed meanwhile is not changed back.
        if address := self.fields.get("email"):
            address.show_hidden_initial = True


class PasswordForm(AdminPasswordChangeForm):
    def save(self, commit: bool = True) -> User:
        # Notifies the owner once, even after a double click.
        with transaction.atomic():
            self.user = account = User.objects.select_for_update().get(pk=self.user.pk)
            if not self._is_done():
                super().save()
                by_staff.password_changed(account)
        return account

    def _is_done(self) -> bool:
        if self.cleaned_data["set_usable_password"]:
            return bool(self.user.check_password(self.cleaned_data["password1"]))
        return not self.user.has_usable_password()


class ReportsConflicts(admin.ModelAdmin):
    """Shows a message if another request has changed or deleted the object meanwhile."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except (IntegrityError, ObjectDoesNotExist):
            return self.report_conflict(request)

    def report_conflict(self, request: HttpRequest) -> HttpResponse:
        text = gettext("Someone else has just added, changed or deleted this. Nothing was saved.")
        self.message_user(request, text, messages.WARNING)
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")


@admin.register(User)
class UserAdmin(ReportsConflicts, LinksToMessages, TidySearch, LargeList, DjangoUserAdmin):
    add_form = UserAddForm
    form = UserEditForm
    change_password_form = PasswordForm
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "name", "usable_password", "password1", "password2")}),
    )
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        (_("Address"), {"fields": ("confirmed_at",)}),
        (_("Product news"), {"fields": ("wants_news", "news_decided_at")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    # Only the user decides about news.
    readonly_fields = ("last_login", "date_joined", "wants_news", "news_decided_at")
    list_display = ("email", "name", "confirmed", "is_active", "is_staff", "date_joined")
    list_filter = (
        "is_active",
        "is_staff",
        "is_superuser",
        ("confirmed_at", admin.EmptyFieldListFilter),
        DayFilter,
    )
    newest_by = "date_joined"
    prefixes = ("email__startswith", "name__istartswith")
    by_index = {"is_staff__exact": ["1"], "is_superuser__exact": ["1"]}
    search_help_text = _("The beginning of an address or a name. Without a search, the newest accounts are listed.")
    ordering = ("-date_joined",)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if is_superuser(request) else (*fields, *PRIVILEGES)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and may_touch(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        # Writes only the changed fields: the owner may have changed the others meanwhile.
        if not change:
            super().save_model(request, obj, form, change)
            return
        with transaction.atomic():
            old = User.objects.select_for_update().values_list("email", flat=True).get(pk=obj.pk)
            changed = {field.name for field in obj._meta.concrete_fields} & set(form.changed_data)  # noqa: SLF001
            obj.save(update_fields=changed)
            if "email" in changed:
                by_staff.address_changed(obj, old)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        try:
            return super().user_change_password(request, id, form_url)
        except User.DoesNotExist:
            return self.report_conflict(request)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # The log of an account's actions is kept (accounts.admin_log_erasure).
        listed, counts, permissions, protected = super().get_deleted_objects(objs, request)
        counts.pop(str(LOG.verbose_name_plural), None)
        permissions.discard(str(LOG.verbose_name))
        return _without_log(listed), counts, permissions, protected

    @admin.display(boolean=True, ordering="confirmed_at", description=_("confirmed"))
    def confirmed(self, user: User) -> bool:
        return user.confirmed_at is not None


class GroupAdmin(ReportsConflicts, SoundChoice, DjangoGroupAdmin):
    """Restricted to superusers: a group gives permissions to its members."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return is_superuser(request)


admin.site.unregister(Group)
admin.site.register(Group, GroupAdmin)


def is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))


def may_touch(request: HttpRequest, user: User | None) -> bool:
    # An operator who changed the password or address of a staff account could log in as that account.
    return is_superuser(request) or user is None or not (user.is_staff or user.is_superuser)


def _without_log(listed: list[Any]) -> list[Any]:
    # Django's list holds strings and nested lists of strings.
    name = str(LOG.verbose_name).capitalize()
    kept = [_without_log(item) if isinstance(item, list) else item for item in listed]
    return [item for item in kept if item and not (isinstance(item, str) and item.startswith(f"{name}:"))]
