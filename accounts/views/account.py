"""A member's pages: password, address, preferences, deletion."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django.views.generic import FormView, TemplateView, UpdateView, View

from accounts.flows import address, bouncing, deleting, news, passwords
from accounts.flows.address import ChangeResult
from accounts.flows.sign_up_cookie import PendingSignUp
from accounts.forms import AddressForm, DeleteForm, PasswordChangeForm, PreferencesForm, WithCurrentPassword
from accounts.links import user_of
from accounts.models import User
from accounts.ratelimits import Bucket, count, count_member
from accounts.tokens import address_change_tokens
from accounts.views.language import set_language_cookie


def member_of(request: HttpRequest) -> User | None:
    # Reads again: an invalid form may have changed `request.user`.
    return User.objects.filter(pk=request.user.pk, is_active=True).first() if request.user.is_authenticated else None


class ForMembers(LoginRequiredMixin):
    """Requires a logged-in member whose account still exists."""

    request: HttpRequest
    member: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        member = member_of(request)
        if member is None:
            logout(request)
            return self.handle_no_permission()
        self.member = member
        return super().dispatch(request, *args, **kwargs)


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class MemberView(ForMembers, FormView):
    """A form that requires the current password."""

    success_url = reverse_lazy("accounts:home")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.member}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        count_member(request)
        return super().post(request, *args, **kwargs)

    def report_conflict(self, form: WithCurrentPassword) -> HttpResponse:
        # Another tab or device has changed the account since the password was checked.
        text = _("Your account was just changed elsewhere, so nothing was saved here. Check it and try again.")
        form.add_error(None, ValidationError(text, code="conflict"))
        return self.form_invalid(form)


class PasswordChangeView(MemberView):
    form_class = PasswordChangeForm
    template_name = "accounts/password_change.html"

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        # The first post of a double click may have saved it.
        new = form.cleaned_data["password"]
        account = form.user if form.save() else passwords.account_with_password(form.user, new)
        if account is None:
            return self.report_conflict(form)
        # Keeps this session; all others end.
        update_session_auth_hash(self.request, account)
        text = _("Your new password is saved. You've been logged out on all other devices.")
        messages.success(self.request, text, "password-saved")
        return super().form_valid(form)


class AddressChangeView(MemberView):
    form_class = AddressForm
    template_name = "accounts/address_change.html"

    def form_valid(self, form: AddressForm) -> HttpResponse:
        new = form.cleaned_data["email"]
        count(Bucket.EMAIL, new)
        if not address.request_change(form.user, new, form.reference(new)):
            return self.report_conflict(form)
        text = _("We're emailing %(address)s. Open the link in the email to confirm the change.")
        messages.success(self.request, text % {"address": new}, "address-change-asked")
        return super().form_valid(form)


@require_POST
def cancel_address_change(request: HttpRequest) -> HttpResponse:
    if member := member_of(request):
        text = _("%(address)s is the address of your account. No change is pending.")
        messages.success(request, text % {"address": address.cancel_change(member)}, "address-kept")
    return redirect("accounts:home")


@require_POST
def check_address(request: HttpRequest) -> HttpResponse:
    if member := member_of(request):
        address_ = {"address": member.email}
        if bouncing.request_check(member):
            text = _("We're emailing %(address)s. If it arrives, you get our email there again.")
            messages.success(request, text % address_, "address-check-asked")
        else:
            text = _("%(address)s can be checked once a day, and only while our email to it bounces.")
            messages.warning(request, text % address_, "address-not-checked")
    return redirect("accounts:home")


@method_decorator(never_cache, name="dispatch")
class AddressConfirmView(View):
    """Confirms a new address by its link. GET only shows a button: email scanners follow links."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest, uid: str, token: str) -> HttpResponse:
        user = user_of(uid)
        if user is None or not address_change_tokens.check_token(user, token):
            return self.failed(request)
        if request.user.pk != user.pk:
            return self.ask_to_log_in(request)
        return render(request, "accounts/address_confirm.html", {"old": user.email, "new": user.new_email})

    def post(self, request: HttpRequest, uid: str, token: str) -> HttpResponse:
        user = user_of(uid)
        # The link is checked first: without a valid one, the answer must not reveal whether the account exists.
        if user is None or not address_change_tokens.check_token(user, token):
            return self.failed(request)
        if request.user.pk != user.pk:
            return self.ask_to_log_in(request)
        match address.change(user, token):
            case ChangeResult.DONE:
                messages.success(request, _("Your new address is confirmed. Use it to log in."), "address-changed")
                return redirect("accounts:home")
            case ChangeResult.TAKEN:
                return render(request, "accounts/address_taken.html", status=409)
            case ChangeResult.BAD_LINK:
                return self.failed(request)

    def ask_to_log_in(self, request: HttpRequest) -> HttpResponse:
        # After a typo, another person may have got the email. They must not get the account.
        return render(request, "accounts/address_log_in.html", status=403)

    def failed(self, request: HttpRequest) -> HttpResponse:
        return render(request, "accounts/address_confirm_failed.html", status=410)


@method_decorator(never_cache, name="dispatch")
class PreferencesView(ForMembers, UpdateView):
    form_class = PreferencesForm
    template_name = "accounts/preferences.html"
    success_url = reverse_lazy("accounts:home")

    def get_object(self, queryset: Any = None) -> User:
        return self.member

    def form_valid(self, form: PreferencesForm) -> HttpResponse:
        if not news.save_preferences(self.member, form.changes()):
            logout(self.request)
            return self.handle_no_permission()
        language = form.cleaned_data["language"]
        with override(language):
            messages.success(self.request, _("Your preferences are saved."), "preferences-saved")
        response = redirect(self.success_url)
        set_language_cookie(response, language)
        return response


class DeleteView(MemberView):
    form_class = DeleteForm
    template_name = "accounts/delete.html"
    success_url = reverse_lazy("accounts:deleted")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_staff:
            text = _("Administrator accounts can only be deleted by another administrator.")
            messages.warning(request, text, "staff-account")
            return redirect("accounts:home")
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: DeleteForm) -> HttpResponse:
        if not deleting.delete(form.user) and not deleting.is_gone(form.user):
            return self.report_conflict(form)
        logout(self.request)
        response = super().form_valid(form)
        PendingSignUp.clear(response)
        return response


class DeletedView(TemplateView):
    template_name = "accounts/deleted.html"
