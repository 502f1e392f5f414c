"""Confirm an address, and request another link."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, TemplateView, View

from accounts.flows import confirming, sign_up
from accounts.flows.confirming import Needs
from accounts.flows.passwords import still_has_password
from accounts.flows.sign_up_cookie import PendingSignUp
from accounts.forms import ConfirmAgainForm, NewPasswordForm, OwnPasswordForm, PasswordResetForm, UsersForm
from accounts.links import user_of
from accounts.models import User
from accounts.ratelimits import Action, Bucket, count, throttled, trying
from accounts.tokens import confirmation_tokens
from accounts.views.log_in import enter
from accounts.views.next_page import page_after

FORMS: dict[Needs, type[UsersForm]] = {
    Needs.NOTHING: UsersForm,
    Needs.PASSWORD: OwnPasswordForm,
    Needs.NEW_PASSWORD: NewPasswordForm,
}


@method_decorator([sensitive_post_parameters("password"), never_cache], name="dispatch")
class ConfirmView(View):
    """GET only shows a form: email scanners follow links and must not confirm an address."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest, uid: str, token: str) -> HttpResponse:
        user = user_of(uid)
        if user is not None and confirmation_tokens.check_token(user, token):
            needs = confirming.needs(user, PendingSignUp.load(request))
            return self.ask(user, needs, FORMS[needs](user))
        if confirmation_tokens.was_used(user, token):
            return render(request, "accounts/confirmed.html")
        # Shows the address only for a link that this site created.
        known = user.email if user and confirmation_tokens.is_ours(user, token) else ""
        form = ConfirmAgainForm(initial={"email": known})
        return render(request, "accounts/confirm_failed.html", {"form": form, "expired": bool(known)}, status=410)

    def post(self, request: HttpRequest, uid: str, token: str) -> HttpResponse:
        user = user_of(uid)
        is_good = confirmation_tokens.check_token(user, token)
        if user is None or not (is_good or confirming.was_just_used(user, token)):
            return self.get(request, uid, token)
        needs = confirming.needs(user, PendingSignUp.load(request))
        form = FORMS[needs](user, request.POST)
        if not self.is_valid(form):
            return self.ask(user, needs, form) if is_good else self.get(request, uid, token)
        if not is_good or self.confirm(form):
            return self.welcome(user) or self.get(request, uid, token)
        # The other post of a double click was first. Decides again, by the account as it is now.
        was_other = confirming.was_just_used(user_of(uid), token)
        return self.post(request, uid, token) if was_other else self.get(request, uid, token)

    def is_valid(self, form: UsersForm) -> bool:
        if not isinstance(form, OwnPasswordForm) or not form.data.get("password"):
            return form.is_valid()
        with trying(self.request, form.user.email) as attempt:
            attempt.succeeded = form.is_valid()
        return attempt.succeeded

    def confirm(self, form: UsersForm) -> bool:
        if isinstance(form, NewPasswordForm):
            return confirming.confirm_with_first_password(form.user, form.cleaned_data["password"])
        return confirming.confirm_address(form.user)

    def ask(self, user: User, needs: Needs, form: UsersForm) -> HttpResponse:
        reset = PasswordResetForm(initial={"email": user.email}) if needs is Needs.PASSWORD else None
        context = {"address": user.email, "needs": needs.name, "form": form, "reset": reset}
        return render(self.request, "accounts/confirm.html", context)

    def welcome(self, user: User) -> HttpResponse | None:
        """Log in the user; None if the account has changed since the check.

        It may have been deleted or deactivated, or its password changed.
        """
        account = User.objects.filter(**still_has_password(user)).first()
        if account is None:
            return None
        pending = PendingSignUp.load(self.request)
        messages.success(self.request, _("Your address is confirmed. Welcome!"), "address-confirmed")
        wanted = pending.next if pending is not None and pending.made(user) else ""
        return enter(self.request, account, page_after(wanted))


@method_decorator(never_cache, name="dispatch")
@method_decorator(throttled(Action.RESEND), name="post")
class ConfirmAgainView(FormView):
    """Sends another link to a user whose link is lost or no longer works."""

    form_class = ConfirmAgainForm
    template_name = "accounts/confirm_again.html"
    success_url = reverse_lazy("accounts:confirm-again-done")

    def get_initial(self) -> dict[str, Any]:
        pending = PendingSignUp.load(self.request)
        return {"email": pending.address} if pending else {}

    def form_valid(self, form: ConfirmAgainForm) -> HttpResponse:
        address = form.cleaned_data["email"]
        count(Bucket.EMAIL, address)
        sign_up.request_confirmation(address, form.reference(address))
        return super().form_valid(form)


class ConfirmAgainDoneView(TemplateView):
    template_name = "accounts/confirm_again_done.html"
