"""People, for operators."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.http import HttpRequest

from accounts.fields import KeepsName
from accounts.models import User
from accounts.searching import TidySearch
from config.large_lists import DayFilter, LargeList

# What gives power over the site. Only a superuser gives or takes it.
PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")


class UserAddForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")


class UserEditForm(KeepsName, UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(TidySearch, LargeList, DjangoUserAdmin):
    add_form = UserAddForm
    form = UserEditForm
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "name", "usable_password", "password1", "password2")}),
    )
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Address", {"fields": ("confirmed_at",)}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
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
    search_help_text = "The beginning of an address or a name. Without a search, the list shows the newest accounts."
    ordering = ("-date_joined",)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if is_superuser(request) else (*fields, *PRIVILEGES)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and may_touch(request, obj)

    @admin.display(boolean=True, ordering="confirmed_at")
    def confirmed(self, user: User) -> bool:
        return user.confirmed_at is not None


class GroupAdmin(DjangoGroupAdmin):
    """Who changes a group gives permissions to its members: that is a superuser's decision."""

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
    """True for a superuser, and for anyone else if the account has no power that its password or address would give."""
    return is_superuser(request) or user is None or not (user.is_staff or user.is_superuser)
