"""People, for operators."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm

from accounts.fields import KeepsName
from accounts.models import User
from accounts.searching import TidySearch


class UserAddForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")


class UserEditForm(KeepsName, UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(TidySearch, DjangoUserAdmin):
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
        "date_joined",
        "groups",
    )
    search_fields = ("email", "name")
    ordering = ("-date_joined",)

    @admin.display(boolean=True, ordering="confirmed_at")
    def confirmed(self, user: User) -> bool:
        return user.confirmed_at is not None
