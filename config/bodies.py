"""Refuse a request body that no form needs by its header, before a byte of it is read or stored."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from notifications.providers.registry import webhook_of

WEBHOOKS_PREFIX = "/webhooks/"
LONGEST_LENGTH = 20


class RefuseLargeBodies:
    """Answer 413 or 411 for every address of the site, also where no page is. `config.gunicorn_conf` then hangs up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if status := refusal(request.META, max_bytes(request.path_info)):
            return HttpResponse(f"{status.phrase}\n", content_type="text/plain", status=status)
        return self.get_response(request)


def refusal(environ: dict[str, str], most: int) -> HTTPStatus | None:
    """Return why a body may not be read, judged by the request's header alone, or None if it may.

    Without a length there is no bound, and Django would take the body for empty: browsers and providers send one.
    """
    if environ.get("HTTP_TRANSFER_ENCODING"):
        return HTTPStatus.LENGTH_REQUIRED
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return HTTPStatus.BAD_REQUEST
    # Python refuses to read thousands of digits.
    too_large = len(length) > LONGEST_LENGTH or int(length) > most
    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_large else None


def max_bytes(path: str) -> int:
    """Return how long the body of a request to `path` may be: a webhook has the limit of its provider."""
    if path.startswith(WEBHOOKS_PREFIX):
        webhook = webhook_of(path.removeprefix(WEBHOOKS_PREFIX).rstrip("/"))
        if webhook is not None:
            return webhook.max_bytes
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE
