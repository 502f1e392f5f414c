"""The site's middleware. `settings.MIDDLEWARE` explains the order."""

import logging
import re
import struct
from collections.abc import Callable, Mapping
from http import HTTPStatus
from unicodedata import category
from urllib.parse import unquote_to_bytes
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.urls import Resolver404, resolve, reverse
from django.utils import translation

from config import views
from notifications.providers.registry import webhook_of
from notifications.runtime.log_context import log_context

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]

# The site uses none of these, so no injected script may either.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()" for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
)
LONGEST_LENGTH = 20
# Anything else could be personal data, or break a log line.
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# PostgreSQL refuses a NUL, half a surrogate cannot be encoded, and no cookie of the site has a control character.
# Cookies arrive quoted: `"\000"` is one character.
UNUSABLE = {"Cc", "Cs"}
PROBES = {"/healthz/live": views.live, "/healthz/ready": views.ready}
# gettext raises these for a broken file of translations: not one, cut short, unknown encoding, bad plural forms.
UNREADABLE = (OSError, struct.error, LookupError, ValueError)
UNREADABLE_TRANSLATION = "A translation file cannot be read (%s): the page is shown in %s"


class RequestIdMiddleware:
    """Name the request in its log lines and its response, as the proxy's X-Request-ID does."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
        # Django logs an answer with an error status after the middleware, with the request.
        request.request_id = request_id  # type: ignore[attr-defined]
        with log_context(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class SecureHeadersMiddleware:
    """Keep the token in a page's URL secret, and set the permissions policy.

    Such a page has a `token` in its route. Otherwise the browser would send the whole URL as Referer with the page's
    style sheet and forms, and proxies would log it. Not `no-referrer`: with it a browser sends `Origin: null` with a
    form, which Django's CSRF check refuses.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Permissions-Policy"] = PERMISSIONS_POLICY
        match = request.resolver_match
        if match is not None and "token" in match.kwargs:
            response["Referrer-Policy"] = "strict-origin"
            response["Cache-Control"] = "no-store"
        return response


class BodyLimitMiddleware:
    """Refuse a body longer than any form, by its header, before it is read.

    Responds with 413 or 411 at every URL, also where there is no page. `config.gunicorn_conf` closes the connection.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if status := body_refusal(request.META, max_bytes(request.path_info)):
            return HttpResponse(f"{status.phrase}\n", content_type="text/plain", status=status)
        return self.get_response(request)


def body_refusal(environ: dict[str, str], most: int) -> HTTPStatus | None:
    # Only the header counts. Browsers and providers send a length; Django would treat a body without one as empty.
    if environ.get("HTTP_TRANSFER_ENCODING"):
        return HTTPStatus.LENGTH_REQUIRED
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return HTTPStatus.BAD_REQUEST
    # Python refuses to read thousands of digits.
    too_large = len(length) > LONGEST_LENGTH or int(length) > most
    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_large else None


def max_bytes(path: str) -> int:
    # A webhook has the limit of its provider.
    try:
        match = resolve(path)
    except Resolver404:
        return settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    webhook = webhook_of(match.kwargs["provider"]) if match.view_name == "notifications:webhook" else None
    return webhook.max_bytes if webhook else settings.DATA_UPLOAD_MAX_MEMORY_SIZE


class UnusableInputMiddleware:
    """Refuse a query or path with a NUL; drop an impossible cookie.

    Refusing the cookie would lock its user out, because the browser sends it with every request.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info:
            raise Http404
        if b"\x00" in unquote_to_bytes(request.META.get("QUERY_STRING", "")):
            raise BadRequest("a NUL in the query string")
        request.COOKIES = usable_cookies(request.COOKIES)
        return self.get_response(request)


def usable_cookies(cookies: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in cookies.items() if UNUSABLE.isdisjoint(map(category, name + value))}


class HealthProbeMiddleware:
    """Answer health probes before the host is checked: load balancers use an IP address."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = PROBES.get(request.path_info)
        return view(request) if view else self._get_response(request)


class PageLanguageMiddleware(LocaleMiddleware):
    """Show users' pages in the browser's language, and the admin in the site's."""

    def process_request(self, request: HttpRequest) -> None:
        if request.path.startswith(reverse("admin:index")):
            use_language(request, settings.LANGUAGE_CODE)
            return
        try:
            super().process_request(request)
        except UNREADABLE as error:
            logger.warning(UNREADABLE_TRANSLATION, error, settings.LANGUAGE_CODE)
            use_language(request, settings.LANGUAGE_CODE)


def use_language(request: HttpRequest, language: str) -> None:
    translation.activate(language)
    request.LANGUAGE_CODE = translation.get_language()
