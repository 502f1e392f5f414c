"""Log in and log out."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth import views as auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _

from accounts.flows.bouncing import reachability
from accounts.flows.sign_up_cookie import PendingSignUp
from accounts.forms import LogInForm
from accounts.models import User
from accounts.ratelimits import guarded
from accounts.views.language import set_language_cookie
from accounts.views.next_page import safe_next
from notifications import Refusal


def enter(request: HttpRequest, user: User, where: str) -> HttpResponse:
    # The session ends with the browser. A member who is already logged in stays so.
    response = redirect(where)
    if request.user.is_authenticated:
        return response
    login(request, user)
    request.session.set_expiry(0)
    if user.language:
        set_language_cookie(response, user.language)
    return response


@method_decorator(guarded, name="dispatch")
class LogInView(auth.LoginView):
    template_name = "accounts/log_in.html"
    authentication_form = LogInForm
    redirect_authenticated_user = True
    # Django's default is the host of the request.
    extra_context = {"site_name": settings.SITE_NAME}

    def get_redirect_url(self) -> str:
        # Not to this page: Django raises an error for that.
        return safe_next(super().get_redirect_url())

    def form_valid(self, form: LogInForm) -> HttpResponse:  # type: ignore[override]
        response = super().form_valid(form)
        if not form.cleaned_data["remember"]:
            # Until the browser is closed.
            self.request.session.set_expiry(0)
        PendingSignUp.clear(response)
        if language := form.get_user().language:
            set_language_cookie(response, language)
        self.warn_if_bouncing(form.get_user(), response)
        return response

    def warn_if_bouncing(self, user: User, response: HttpResponse) -> None:
        # The account page says so itself.
        where = reverse("accounts:home")
        if response["Location"] != where and reachability(user).refusal is Refusal.BOUNCED:
            text = _("Emails to %(address)s bounce, so we send none. Your account page shows what you can do.")
            messages.warning(self.request, text % {"address": user.email}, "address-bounces")


class LogOutView(auth.LogoutView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # The next user of this device must not see who signed up here.
        response = super().dispatch(request, *args, **kwargs)
        PendingSignUp.clear(response)
        return response
