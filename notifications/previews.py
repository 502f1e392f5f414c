"""Show every kind of email at /dev/emails/, while DEBUG or MAILROOM_LOCAL is on.

The setting PREVIEW_USER provides the user of the examples.
"""

from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from notifications import kinds, users
from notifications.conf import settings
from notifications.delivery.engine import Content
from notifications.delivery.render import RenderingError, content
from notifications.kinds import Kind
from notifications.models import Message

SCHEMES = {"light": "not all", "dark": "all"}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    kinds_and_subjects = [
        (kind, [(code, name, *preview(kind, code)) for code, name in settings.LANGUAGES])
        for kind in kinds.KINDS.values()
    ]
    return _page(request, "notifications/previews/index.html", {"kinds": kinds_and_subjects})


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    kind, language = _kind(name), _language(request)
    shown, problem = preview(kind, language)
    scheme = _scheme(request)
    choices = {
        "kind": kind,
        "language": language,
        "languages": settings.LANGUAGES,
        "scheme": scheme,
        "schemes": SCHEMES,
    }
    return _page(request, "notifications/previews/show.html", {"content": shown, "problem": problem, **choices})


@require_safe
def html(request: HttpRequest, name: str) -> HttpResponse:
    # The page shows it in a frame, where its media query follows the reader's preference.
    shown, problem = preview(_kind(name), _language(request))
    if shown is None:
        return HttpResponse(problem, content_type="text/plain", status=500)
    response = HttpResponse(shown.html.replace("(prefers-color-scheme: dark)", SCHEMES[_scheme(request)]))
    # The styles of emails are inline, and the preview frames them. For other pages, both are forbidden.
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


def preview(kind: Kind, language: str) -> tuple[Content | None, str]:
    # The email, or None and the error.
    user = users.preview_user(language)
    message = Message(
        kind=kind.name,
        stream=kind.stream,
        user=cast("Any", user),
        to_address=users.address_of(user),
        context=kind.preview_context,
        created_at=timezone.now(),
    )
    try:
        return content(message, language), ""
    except RenderingError as error:
        return None, f"{kind.name} cannot be rendered: {error}"


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    response = render(request, template, context)
    response["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; frame-src 'self'; base-uri 'none';"
        " form-action 'self'; frame-ancestors 'none'"
    )
    return response


def _kind(name: str) -> Kind:
    try:
        return kinds.get(name)
    except kinds.UnknownKindError as error:
        raise Http404(str(error)) from error


def _language(request: HttpRequest) -> str:
    language = request.GET.get("language", "")
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _scheme(request: HttpRequest) -> str:
    scheme = request.GET.get("scheme", "")
    return scheme if scheme in SCHEMES else "light"


app_name = "previews"
urlpatterns = [
    path("", index, name="index"),
    path("<slug:name>/", show, name="show"),
    path("<slug:name>/html/", html, name="html"),
]
