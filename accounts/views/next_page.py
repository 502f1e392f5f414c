"""Where a user wanted to go before signing up or logging in."""

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

# It travels in a cookie.
LONGEST = 300


def safe_next(where: str) -> str:
    """Return `where` if it is a path of this site that makes sense after logging in, or ""."""
    if not where.startswith("/") or len(where) > LONGEST or not url_has_allowed_host_and_scheme(where, None):
        return ""
    on_the_way = {reverse(f"accounts:{name}") for name in ("log-in", "log-out", "sign-up", "check-inbox")}
    return "" if urlsplit(where).path in on_the_way else where


def asked_for(request: HttpRequest) -> str:
    """Return the `next` of a form or of a page's query."""
    return safe_next(request.POST.get("next") or request.GET.get("next") or "")


def page_after(where: str) -> str:
    """Return where to go now: the page that was wanted, or the account's."""
    return safe_next(where) or reverse("accounts:home")
