"""Answer a client that exceeds a limit with the page 429."""

from collections.abc import Callable
from http import HTTPStatus
from math import ceil

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import ngettext

from accounts.ratelimits.limiter import RateLimitedError

MINUTE_S, HOUR_S = 60, 3600
# Users who tried several wrong passwords here are offered a reset.
TRIES_PASSWORDS = {"accounts:log-in", "accounts:confirm"}


class RateLimitedPageMiddleware:
    """Turns a view's RateLimitedError into the page 429."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, RateLimitedError):
            return None
        view = request.resolver_match.view_name if request.resolver_match else ""
        context = {"wait": wait_in_words(exception.wait_s), "offers_reset": view in TRIES_PASSWORDS}
        response = render(request, "429.html", context, status=HTTPStatus.TOO_MANY_REQUESTS)
        response["Retry-After"] = str(exception.wait_s)
        add_never_cache_headers(response)
        return response


def wait_in_words(wait_s: int) -> str:
    # "40 seconds", "3 minutes" or "1 hour", rounded up.
    if wait_s < MINUTE_S:
        return ngettext("%(count)d second", "%(count)d seconds", wait_s) % {"count": wait_s}
    if wait_s <= HOUR_S - MINUTE_S:
        minutes = ceil(wait_s / MINUTE_S)
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = ceil(wait_s / HOUR_S)
    return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
