"""Request a password reset, and choose a new password."""

from http import HTTPStatus
from time import time
from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN
from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookieSession
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.flows.passwords import having_now
from accounts.forms import NewPasswordForm, PasswordResetForm
from accounts.links import user_of
from accounts.models import User
from accounts.ratelimits import Action, Bucket, clear_failed_log_ins, count, throttled, trying
from accounts.tokens import password_reset_tokens

RESET_COOKIE = "password_reset"
# In that cookie: the account whose link this browser has opened, and when.
OPENED = "opened"


@method_decorator(never_cache, name="dispatch")
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
    """Keeps the session of an open form in a signed cookie.

    Django's view keeps the link's token in the session, and sessions are rows here: no token is ever in a row.
    """

    template_name = "accounts/password_reset_confirm.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("accounts:password-reset-complete")
    token_generator = password_reset_tokens
    user: User | None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        everywhere = request.session
        request.session = here = SignedCookieSession(request.COOKIES.get(RESET_COOKIE))
        try:
            response = super().dispatch(request, *args, **kwargs)
            if request.method == "POST" and not self.validlink and self.was_just_done():
                response = redirect(self.success_url)
            elif response.status_code == HTTPStatus.FOUND and here.get(INTERNAL_RESET_SESSION_TOKEN) == kwargs["token"]:
                # A good link, on the way to the page without a token.
                here[OPENED] = [kwargs["uidb64"], int(time())]
        finally:
            request.session = everywhere
        if here.modified:
            _keep(here, response)
        return response

    def get_user(self, uidb64: str) -> User | None:
        return user_of(uidb64)

    def form_valid(self, form: NewPasswordForm) -> HttpResponse:
        if form.save():
            clear_failed_log_ins(form.user.email)
            return redirect(self.success_url)
        self.validlink = False
        return self.render_to_response(self.get_context_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "was_used": not self.validlink and self.was_opened_here()}

    def was_opened_here(self) -> bool:
        # This browser opened a valid link to this account.
        uid, opened_at = self.request.session.get(OPENED, ("", 0))
        return bool(uid == self.kwargs["uidb64"] and time() - opened_at <= settings.PASSWORD_RESET_TIMEOUT)

    def was_just_done(self) -> bool:
        # After a double click: the first of its two posts has set the password, and the page shows the second's answer.
        if self.user is None or not self.was_opened_here():
            return False
        with trying(self.request, self.user.email) as attempt:
            attempt.succeeded = having_now(self.user, self.request.POST.get("password", "")) is not None
        return attempt.succeeded


def _keep(here: SignedCookieSession, response: HttpResponseBase) -> None:
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


class PasswordResetCompleteView(auth.PasswordResetCompleteView):
    template_name = "accounts/password_reset_complete.html"
