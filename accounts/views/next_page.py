"""Return to the page that a user requested before signing up or logging in."""

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme

# Stored in a cookie, and browsers drop long ones.
LONGEST = 300
# Pages that make no sense after logging in, and views without a page.
EXCLUDED = (
    *("accounts:log-in", "accounts:log-out", "accounts:sign-up", "accounts:check-inbox"),
    *("accounts:resend", "accounts:address-stay", "set_language"),
)


def safe_next(where: str) -> str:
    # Returns "" unless it is a path of this site that makes sense after logging in.
    is_ours = where.startswith("/") and url_has_allowed_host_and_scheme(where, None)
    if not is_ours or len(iri_to_uri(where)) > LONGEST:
        return ""
    return "" if urlsplit(where).path in {reverse(name) for name in EXCLUDED} else where


def requested_page(request: HttpRequest) -> str:
    return safe_next(request.POST.get("next") or request.GET.get("next") or "")


def page_after(where: str) -> str:
    # Defaults to the home page.
    return safe_next(where) or reverse("accounts:home")
