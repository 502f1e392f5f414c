"""Suppressed addresses: the list, adding one by hand, and lifting a suppression."""

from typing import Any, ClassVar

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
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from notifications.admin import offered
from notifications.admin.large_lists import DayFilter, LargeList, ValuesFilter, as_uuid
from notifications.admin.search import TidySearch
from notifications.events import consent, lifting, suppress
from notifications.models import Suppression
from notifications.operations.wording import translate_stored
from notifications.providers.registry import list_keepers
from notifications.rules.addresses import BadAddressError, one_address
from notifications.rules.suppression import Reason
from notifications.rules.text import one_form

#: The parameter with the message whose page led here.
OF_MESSAGE = "message"

ALREADY_LISTED = gettext_lazy("This address is already suppressed.")
# What `events` stores, and its words for the operator.
STORED = {
    suppress.RECHECK_DELIVERED: gettext_lazy("A message was delivered"),
    consent.BY_PAGE: gettext_lazy("On the page behind the link in an email"),
    consent.BY_ONE_CLICK: gettext_lazy("By the button of an email program"),
    consent.BY_APPLICATION: gettext_lazy("In the application"),
    # Of earlier releases.
    "the account's owner subscribed to news again": gettext_lazy("The recipient subscribed to news again"),
    consent.CAME_BACK: gettext_lazy("The recipient subscribed to news again"),
    consent.COMPLAINT_WAS_LIFTED: gettext_lazy("A complaint was lifted; the recipient has not subscribed again"),
    lifting.REMOVED: gettext_lazy("Removed from the list of {provider}"),
    lifting.WAS_ON_NONE: gettext_lazy("Was on no list of {provider}"),
    lifting.REFUSED: gettext_lazy("{provider} refused to remove it: {error}"),
    lifting.GIVEN_UP: gettext_lazy("Not removed: {provider} failed {tries} times: {error}"),
}


class ByHandForm(forms.ModelForm):
    """An address that an operator suppresses."""

    class Meta:
        model = Suppression
        fields = ["address", "detail"]
        labels = {"detail": gettext_lazy("Reason")}
        help_texts = {"detail": gettext_lazy("Shown to other operators.")}
        widgets: ClassVar = {"address": AdminTextInputWidget, "detail": AdminTextInputWidget}

    def clean_address(self) -> str:
        try:
            address = one_address(one_form(self.cleaned_data["address"])).lower()
        except BadAddressError as error:
            raise ValidationError(_("Enter one valid email address.")) from error
        if Suppression.objects.in_force([address]).filter(reason=Reason.BY_HAND).exists():
            raise ValidationError(ALREADY_LISTED, code="already-listed")
        return address


class InForceFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", _("In force")), ("0", _("Lifted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> QuerySet[Suppression]:
        return queryset if self.value() is None else queryset.filter(lifted_at__isnull=self.value() == "1")


class LiftForm(forms.Form):
    why = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy("Shown in the log."),
        widget=AdminTextInputWidget,
    )


@admin.register(Suppression)
class SuppressionAdmin(TidySearch, LargeList):
    list_display = ["address", "reason", "created_at", "lifted_at", "in_short"]
    list_filter = [InForceFilter, "reason", ("provider", ValuesFilter), DayFilter]
    newest_by = "created_at"
    newest_by_index = {"reason__exact": Reason.values}
    values_from = {"provider": offered.reporters}
    prefixes = ["address__startswith"]
    search_help_text = gettext_lazy("The beginning of an address. Without a search, the list shows the newest.")
    fields = [
        *("address", "reason", "why", "provider", "event", "created_at", "rechecked_at"),
        *("lifted_at", "lifted_by", "why_lifted", "at_the_provider"),
    ]
    readonly_fields = ["why", "why_lifted", "at_the_provider"]

    @admin.display(description=gettext_lazy("details"))
    def in_short(self, suppression: Suppression) -> str:
        return truncatechars(self.why(suppression), 60)

    @admin.display(description=gettext_lazy("details"))
    def why(self, suppression: Suppression) -> str:
        return translate_stored(suppression.detail, STORED) or "-"

    @admin.display(description=gettext_lazy("reason for lifting"))
    def why_lifted(self, suppression: Suppression) -> str:
        return translate_stored(suppression.lift_reason, STORED) or "-"

    @admin.display(description=gettext_lazy("removal at the provider"))
    def at_the_provider(self, suppression: Suppression) -> str:
        # The result of the removal from the provider's own list.
        waiting = suppression.lifted_at and suppression.provider in list_keepers()
        return translate_stored(suppression.provider_lift, STORED) or (_("Not requested yet") if waiting else "-")

    def has_add_permission(self, request: HttpRequest) -> bool:
        # The form reveals whether an address is suppressed.
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
        if obj is None:
            return ["address", "detail"]
        # What has not happened is left out.
        lifting = () if obj.lifted_at else ("lifted_at", "lifted_by", "why_lifted", "at_the_provider")
        empty = [name for name in ("provider", "event", "rechecked_at") if not getattr(obj, name)]
        return [name for name in self.fields if name not in {*lifting, *empty}]

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
        return HttpResponseRedirect(_back_url(request, suppression))

    def _lift(self, request: HttpRequest, suppression: Suppression, user: AbstractBaseUser, why: str) -> None:
        with transaction.atomic():
            lifted = suppress.lift(suppression, user, why)
            if lifted:
                self.log_change(request, suppression, _("Lifted: %(why)s") % {"why": why})
        text = _result(suppression) if lifted else _("Another operator has already lifted it.")
        self.message_user(request, text, messages.SUCCESS if lifted else messages.WARNING)

    def _ask(self, request: HttpRequest, suppression: Suppression, form: LiftForm) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Lift this suppression"),
            "opts": self.opts,
            "suppression": suppression,
            "why": translate_stored(suppression.detail, STORED),
            "why_lifted": self.why_lifted(suppression),
            "form": form,
            "back_url": _back_url(request, suppression),
        }
        return TemplateResponse(request, "admin/notifications/suppression/lift.html", context)


def _back_url(request: HttpRequest, suppression: Suppression) -> str:
    # Where the operator came from.
    if message_id := as_uuid(request.GET.get(OF_MESSAGE, "")):
        return reverse("admin:notifications_message_change", args=[message_id])
    return reverse("admin:notifications_suppression_change", args=[suppression.pk])


def _result(suppression: Suppression) -> str:
    address = suppression.address
    left = [other.get_reason_display() for other in Suppression.objects.in_force([address])]
    if left:
        text = _("Lifted, but %(address)s is still suppressed: %(reasons)s.")
        return text % {"address": address, "reasons": ", ".join(left)}
    text = _("Lifted. %(address)s gets email again. Mailroom removes it from the provider's list within 30 s.")
    return text % {"address": address}
