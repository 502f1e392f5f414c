"""Request a password reset, and choose a new password."""

from http import HTTPStatus
from time import time
from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN as RESET_TOKEN
from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookieSession
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.flows.passwords import account_with_password
from accounts.forms import NewPasswordForm, PasswordResetForm
from accounts.links import user_of
from accounts.models import User
from accounts.ratelimits import Action, Bucket, clear_failed_log_ins, count, throttled, trying
from accounts.tokens import password_reset_tokens

RESET_COOKIE = "password_reset"
# The cookie's entry for the account whose link this browser has opened, and when.
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
    """Keeps the link's token in a signed cookie.

    Django's view keeps it in the session, which is a row here, and tokens are never stored.
    """

    template_name = "accounts/password_reset_confirm.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("accounts:password-reset-complete")
    token_generator = password_reset_tokens
    user: User | None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        session = request.session
        request.session = cookie = SignedCookieSession(request.COOKIES.get(RESET_COOKIE))
        try:
            response = super().dispatch(request, *args, **kwargs)
            if request.method == "POST" and not self.validlink and self.was_just_done():
                response = redirect(self.success_url)
            elif response.status_code == HTTPStatus.FOUND and cookie.get(RESET_TOKEN) == kwargs["token"]:
                # A valid link, redirected to the URL without the token.
                cookie[OPENED] = [kwargs["uidb64"], int(time())]
        finally:
            request.session = session
        if cookie.modified:
            _save(cookie, response)
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
        # This browser has opened a valid link to this account.
        uid, opened_at = self.request.session.get(OPENED, ("", 0))
        return bool(uid == self.kwargs["uidb64"] and time() - opened_at <= settings.PASSWORD_RESET_TIMEOUT)

    def was_just_done(self) -> bool:
        # For the second post of a double click, whose answer the browser shows: the first has set the password.
        if self.user is None or not self.was_opened_here():
            return False
        with trying(self.request, self.user.email) as attempt:
            attempt.succeeded = account_with_password(self.user, self.request.POST.get("password", "")) is not None
        return attempt.succeeded


def _save(cookie: SignedCookieSession, response: HttpResponseBase) -> None:
    cookie.save()
    response.set_cookie(
        RESET_COOKIE,
        str(cookie.session_key),
        max_age=settings.PASSWORD_RESET_TIMEOUT,
        path=str(reverse_lazy("accounts:password-reset")),
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


class PasswordResetCompleteView(auth.PasswordResetCompleteView):
    template_name = "accounts/password_reset_complete.html"
