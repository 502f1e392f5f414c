"""The site's own middleware. `settings.MIDDLEWARE` says in which order, and why."""

import logging
import struct
from collections.abc import Callable, Mapping
from http import HTTPStatus
from unicodedata import category
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.urls import Resolver404, resolve, reverse
from django.utils import translation

from config import views
from notifications.providers.registry import webhook_of

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]

# None of it is used here, so that nothing that slips into a page can use it.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()" for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
)
LONGEST_LENGTH = 20
# A NUL cannot be asked of PostgreSQL, half a surrogate cannot be encoded, and no cookie of ours holds a control
# character. Cookies come quoted, so that `"\000"` is one character.
UNUSABLE = {"Cc", "Cs"}
PROBES = {"/healthz/live": views.live, "/healthz/ready": views.ready}
# What gettext raises for a file of translations: none of its own, cut short, in no known encoding, with bad plurals.
UNREADABLE = (OSError, struct.error, LookupError, ValueError)
UNREADABLE_TRANSLATION = "A translation cannot be read (%s): the page speaks %s"


class SecureHeadersMiddleware:
    """Keep a token in a page's URL secret, and set every answer's permissions policy.

    Such pages are known by their route, which has a `token`. Their stylesheet and their forms would otherwise be
    requested with the whole URL as Referer, and that ends in the logs of any server in front. Not `no-referrer`: a
    browser then sends `Origin: null` with the form, which Django's CSRF check refuses.
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
    """Refuse a body that no form needs, by its header, before it is read.

    It answers 413 or 411 for every URL of the site, also without a page. `config.gunicorn_conf` then hangs up.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if status := body_refusal(request.META, max_bytes(request.path_info)):
            return HttpResponse(f"{status.phrase}\n", content_type="text/plain", status=status)
        return self.get_response(request)


def body_refusal(environ: dict[str, str], most: int) -> HTTPStatus | None:
    # Judged by the header alone. Without a length there is no bound, and Django would take the body for empty: browsers
    # and providers send one.
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

    The cookie is not refused, because the browser would send it with every request: its user could open no page.
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
    # Control characters and halves of surrogates are unusable.
    return {name: value for name, value in cookies.items() if UNUSABLE.isdisjoint(map(category, name + value))}


class HealthProbeMiddleware:
    """Answer health probes before the host is checked: load balancers use an IP address.

    Otherwise each such probe would be a 400 and a traceback in the log.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = PROBES.get(request.path_info)
        return view(request) if view else self._get_response(request)


class PageLanguageMiddleware(LocaleMiddleware):
    """Show users' pages in the browser's language, the admin in the site's. The admin's texts have no translation."""

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
