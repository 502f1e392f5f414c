"""A forgotten password: asking for a link, and choosing a new one."""

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth
from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookieSession
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator

from accounts.forms.passwords import NewPasswordForm, PasswordResetForm
from accounts.throttling import Action, Bucket, count, throttled

RESET_COOKIE = "password_reset"


@method_decorator(throttled(Action.RESET), name="post")
class PasswordResetView(auth.PasswordResetView):
    template_name = "accounts/password_reset.html"
    form_class = PasswordResetForm
    success_url = reverse_lazy("accounts:password-reset-done")

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        count(Bucket.RESET, form.cleaned_data["email"])
        return super().form_valid(form)


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

    def form_valid(self, form: NewPasswordForm) -> HttpResponse:
        response = super().form_valid(form)
        if form.saved:
            return response
        self.validlink = False
        return self.render_to_response(self.get_context_data())


class PasswordResetCompleteView(auth.PasswordResetCompleteView):
    template_name = "accounts/password_reset_complete.html"
