"""Pages for monitors: the status as JSON, and metrics for Prometheus."""

from collections.abc import Callable
from functools import wraps
from hmac import compare_digest
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from notifications.conf import settings
from notifications.operations.metrics.exposition import CONTENT_TYPE
from notifications.operations.metrics.page import metrics
from notifications.operations.summary import status_summary

View = Callable[[HttpRequest], HttpResponse]


def with_token(view: View) -> View:
    # Without the token, the page does not exist.
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        expected = settings.METRICS_TOKEN
        if not expected or scheme.lower() != "bearer" or not compare_digest(token.strip().encode(), expected.encode()):
            raise Http404
        return view(request)

    return checked


@never_cache
@require_safe
@with_token
def status_json(request: HttpRequest) -> HttpResponse:
    # 503 if there is a problem: many monitors only compare the code.
    with translation.override(settings.LANGUAGE_CODE):
        summary = status_summary()
    return JsonResponse(summary, status=HTTPStatus.OK if summary["ok"] else HTTPStatus.SERVICE_UNAVAILABLE)


@never_cache
@require_safe
@with_token
def metrics_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(metrics(), content_type=CONTENT_TYPE)
