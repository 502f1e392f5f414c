"""The pages people use. Django's own views where there are any."""

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth
from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookieSession
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, TemplateView, View

from accounts.forms import LogInForm, NewPasswordForm, PasswordResetForm, SignUpForm
from accounts.links import user_of
from accounts.models import User
from accounts.tokens import confirmation_tokens

# In a signed cookie: a session would cost a row and a commit for somebody who is not even logged in.
SIGNED_UP_COOKIE = "signed_up"
SIGNED_UP_COOKIE_AGE_S = 86_400
RESET_COOKIE = "password_reset"


@method_decorator(never_cache, name="dispatch")
class HomeView(TemplateView):
    def get_template_names(self) -> list[str]:
        return ["accounts/home.html" if self.request.user.is_authenticated else "accounts/landing.html"]


@method_decorator([sensitive_post_parameters("password"), never_cache], name="dispatch")
class SignUpView(FormView):
    form_class = SignUpForm
    template_name = "accounts/sign_up.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated:
            return redirect("accounts:home")
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        user = form.sign_up()
        if user is None:
            return self.form_invalid(form)
        response = redirect("accounts:check-inbox")
        response.set_signed_cookie(
            SIGNED_UP_COOKIE,
            user.email,
            salt=SIGNED_UP_COOKIE,
            max_age=SIGNED_UP_COOKIE_AGE_S,
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )
        return response


@never_cache
def check_inbox(request: HttpRequest) -> HttpResponse:
    address = request.get_signed_cookie(
        SIGNED_UP_COOKIE, default=None, salt=SIGNED_UP_COOKIE, max_age=SIGNED_UP_COOKIE_AGE_S
    )
    if address is None:
        return redirect("accounts:home")
    return render(request, "accounts/check_inbox.html", {"address": address})


@method_decorator(never_cache, name="dispatch")
class ConfirmView(View):
    """GET only shows a button: mail scanners follow links, and a scanner must not confirm anything."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest, uid: str, token: str) -> HttpResponse:
        user = user_of(uid)
        if confirmation_tokens.check_token(user, token):
            return render(request, "accounts/confirm.html", {"address": user and user.email})
        if confirmation_tokens.was_used(user, token):
            return self._confirmed(request)
        return render(request, "accounts/confirm_failed.html", status=410)

    def post(self, request: HttpRequest, uid: str, token: str) -> HttpResponse:
        user = user_of(uid)
        if user is None or not confirmation_tokens.check_token(user, token):
            return self.get(request, uid, token)
        # The address again: it may have been changed since the token was checked.
        User.objects.filter(pk=user.pk, email=user.email, confirmed_at=None).update(confirmed_at=timezone.now())
        return HttpResponseRedirect(request.path)

    def _confirmed(self, request: HttpRequest) -> HttpResponse:
        return render(request, "accounts/confirmed.html")


class AddressConfirmView(ConfirmView):
    """The new address of an account: replaced below."""


class LogInView(auth.LoginView):
    template_name = "accounts/log_in.html"
    authentication_form = LogInForm
    redirect_authenticated_user = True
    # The view's own idea of a site's name is the host that the request asked for.
    extra_context = {"site_name": settings.SITE_NAME}


class PasswordResetView(auth.PasswordResetView):
    template_name = "accounts/password_reset.html"
    form_class = PasswordResetForm
    success_url = reverse_lazy("accounts:password-reset-done")


class PasswordResetDoneView(auth.PasswordResetDoneView):
    template_name = "accounts/password_reset_done.html"


class PasswordResetConfirmView(auth.PasswordResetConfirmView):
    """Django's view keeps the link's token in the session while the form is open.

    Sessions are rows here, and no token is ever in a row, so this view's session is a signed cookie of its own.
    """

    template_name = "accounts/password_reset_confirm.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("accounts:password-reset-complete")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        everywhere = request.session
        request.session = here = SignedCookieSession(request.COOKIES.get(RESET_COOKIE))
        try:
            response = super().dispatch(request, *args, **kwargs)
        finally:
            request.session = everywhere
        if here.modified:
            here.save()
            response.set_cookie(
                RESET_COOKIE,
                str(here.session_key),
                max_age=settings.PASSWORD_RESET_TIMEOUT,
                path=str(reverse_lazy("accounts:password-reset")),
                secure=settings.HTTPS,
                httponly=True,
                samesite="Lax",
            )
        return response


class PasswordResetCompleteView(auth.PasswordResetCompleteView):
    template_name = "accounts/password_reset_complete.html"
