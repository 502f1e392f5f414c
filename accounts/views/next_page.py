"""The page that a user wanted before signing up or logging in."""

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme

# It travels in a cookie, which browsers drop if it is long.
LONGEST = 300
# On the way to an account, or pages for a POST only.
NO_PAGES = (
    *("accounts:log-in", "accounts:log-out", "accounts:sign-up", "accounts:check-inbox"),
    *("accounts:resend", "accounts:address-stay", "set_language"),
)


def safe_next(where: str) -> str:
    # A path of this site that makes sense after logging in, or "".
    is_ours = where.startswith("/") and url_has_allowed_host_and_scheme(where, None)
    if not is_ours or len(iri_to_uri(where)) > LONGEST:
        return ""
    return "" if urlsplit(where).path in {reverse(name) for name in NO_PAGES} else where


def asked_for(request: HttpRequest) -> str:
    # From the form or the page's query.
    return safe_next(request.POST.get("next") or request.GET.get("next") or "")


def page_after(where: str) -> str:
    # The wanted page, or the account's.
    return safe_next(where) or reverse("accounts:home")
