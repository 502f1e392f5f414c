"""Answer a form with an invalid CSRF token: after another log-in, or without cookies."""

from http import HTTPStatus

from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import REASON_BAD_ORIGIN, REASON_NO_CSRF_COOKIE
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from accounts.views.next_page import page_after, requested_page

# A logged-in user does not need these forms.
LOG_IN_FORMS = {"accounts:log-in", "accounts:sign-up", "accounts:correct-address"}
# The pages of forms that post to a view without a page.
FORM_PAGES = {
    "accounts:resend": "accounts:check-inbox",
    "accounts:address-stay": "accounts:home",
    "accounts:log-out": "accounts:home",
    "set_language": "accounts:home",
}


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    # CSRF_FAILURE_VIEW. Changes nothing.
    return _redirected(request) or _explain(request, reason)


def _redirected(request: HttpRequest) -> HttpResponse | None:
    # A log-in or log-out in another tab has invalidated the form.
    view = request.resolver_match and request.resolver_match.view_name
    if request.user.is_authenticated:
        return redirect(page_after(requested_page(request))) if view in LOG_IN_FORMS else None
    if view == "accounts:log-out":
        return redirect("accounts:home")
    return redirect_to_login(request.path) if _is_for_members(request) else None


def _is_for_members(request: HttpRequest) -> bool:
    view_class = getattr(request.resolver_match and request.resolver_match.func, "view_class", object)
    return issubclass(view_class, LoginRequiredMixin)


def _explain(request: HttpRequest, reason: str) -> HttpResponse:
    view = request.resolver_match.view_name if request.resolver_match else ""
    context = {
        "form_url": reverse(FORM_PAGES[view]) if view in FORM_PAGES else request.path,
        "needs_cookies": reason == REASON_NO_CSRF_COOKIE,
        "is_foreign": reason.startswith(REASON_BAD_ORIGIN.partition("%")[0]),
    }
    response = render(request, "403_csrf.html", context, status=HTTPStatus.FORBIDDEN)
    add_never_cache_headers(response)
    return response
