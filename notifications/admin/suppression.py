"""Suppressed addresses: why, since when, and how an operator lifts a suppression."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import truncatechars
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods

from notifications.admin.large_lists import DayFilter, LargeList, ValuesFilter
from notifications.admin.search import TidySearch
from notifications.events import suppress
from notifications.models import Suppression
from notifications.providers.registry import list_keepers
from notifications.rules.addresses import BadAddressError, one_address
from notifications.rules.suppression import Reason
from notifications.rules.text import one_form

ALREADY_LISTED = "This address is on the list already."


class ByHandForm(forms.ModelForm):
    """An address that an operator suppresses."""

    class Meta:
        model = Suppression
        fields = ["address", "detail"]
        labels = {"detail": "Why"}
        help_texts = {"detail": "One sentence for whoever asks later."}

    def clean_address(self) -> str:
        try:
            address = one_address(one_form(self.cleaned_data["address"])).lower()
        except BadAddressError as error:
            raise ValidationError("Please enter exactly one e-mail address.") from error
        if Suppression.objects.in_force([address]).filter(reason=Reason.BY_HAND).exists():
            raise ValidationError(ALREADY_LISTED, code="already-listed")
        return address


class InForceFilter(admin.SimpleListFilter):
    title = "whether it is in force"
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "In force"), ("0", "Lifted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> QuerySet[Suppression]:
        return queryset if self.value() is None else queryset.filter(lifted_at__isnull=self.value() == "1")


class LiftForm(forms.Form):
    why = forms.CharField(
        max_length=300,
        help_text="Shown in the log.",
        widget=AdminTextInputWidget,
    )


@admin.register(Suppression)
class SuppressionAdmin(TidySearch, LargeList):
    list_display = ["address", "reason", "created_at", "lifted_at", "in_short"]
    list_filter = [InForceFilter, "reason", ("provider", ValuesFilter), DayFilter]
    newest_by = "created_at"
    prefixes = ["address__startswith"]
    search_help_text = "The beginning of an address. Without a search, the list shows the newest."
    fields = [
        *("address", "reason", "detail", "provider", "event", "created_at", "rechecked_at"),
        *("lifted_at", "lifted_by", "lift_reason", "at_the_provider"),
    ]
    readonly_fields = ["at_the_provider"]

    @admin.display(description="why")
    def in_short(self, suppression: Suppression) -> str:
        return truncatechars(suppression.detail, 60)

    @admin.display(description="at the provider")
    def at_the_provider(self, suppression: Suppression) -> str:
        # The result of the removal from the provider's own list.
        waiting = suppression.lifted_at and suppression.provider in list_keepers()
        return suppression.provider_lift or ("not yet asked" if waiting else "-")

    def has_add_permission(self, request: HttpRequest) -> bool:
        # The form says whether an address is on the list: that is a view of it.
        return super().has_add_permission(request) and self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        return False

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("notifications.lift_suppression")

    def get_form(
        self, request: HttpRequest, obj: Suppression | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        return ByHandForm if obj is None else super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Suppression | None = None) -> Any:
        return ["address", "detail"] if obj is None else self.fields

    def save_model(self, request: HttpRequest, obj: Suppression, form: forms.ModelForm, change: bool) -> None:
        obj.reason = Reason.BY_HAND
        super().save_model(request, obj, form, change)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)
        except IntegrityError:
            # Another operator added the address after this form was checked.
            self.message_user(request, ALREADY_LISTED, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:notifications_suppression_changelist"))

    def get_urls(self) -> list[URLPattern]:
        view = require_http_methods(["GET", "HEAD", "POST"])(self.lift_view)
        own = path("<int:pk>/lift/", self.admin_site.admin_view(view), name="notifications_suppression_lift")
        return [own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        offer = {"may_lift": self.has_lift_permission(request)}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | offer)

    def lift_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        # GET asks why; POST lifts, once, and records who did it.
        user = request.user
        if not self.has_lift_permission(request) or not isinstance(user, AbstractBaseUser):
            raise PermissionDenied
        suppression = get_object_or_404(Suppression, pk=pk)
        form = LiftForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self._ask(request, suppression, form)
        self._lift(request, suppression, user, form.cleaned_data["why"])
        return HttpResponseRedirect(reverse("admin:notifications_suppression_change", args=[pk]))

    def _lift(self, request: HttpRequest, suppression: Suppression, user: AbstractBaseUser, why: str) -> None:
        with transaction.atomic():
            lifted = suppress.lift(suppression, user, why)
            if lifted:
                self.log_change(request, suppression, f"Lifted: {why}")
        text = _said(suppression) if lifted else "Another operator has lifted it already."
        self.message_user(request, text, messages.SUCCESS if lifted else messages.WARNING)

    def _ask(self, request: HttpRequest, suppression: Suppression, form: LiftForm) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Lift this suppression",
            "opts": self.opts,
            "suppression": suppression,
            "form": form,
        }
        return TemplateResponse(request, "admin/notifications/suppression/lift.html", context)


def _said(suppression: Suppression) -> str:
    others = Suppression.objects.in_force([suppression.address]).values_list("reason", flat=True)
    if still := ", ".join(others):
        return f"Lifted. Mail to {suppression.address} is still kept back: {still}."
    return f"Lifted. Mail to {suppression.address} goes out again; within half a minute the provider is told too."
