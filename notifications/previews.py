"""Show every kind of email at /dev/emails/, while DEBUG or MAILROOM_LOCAL is on.

The setting PREVIEW_USER provides the user of the examples.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from notifications import kinds
from notifications.conf import settings
from notifications.delivery.example import example
from notifications.kinds import Kind

SCHEMES = {"light": "not all", "dark": "all"}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    kinds_and_subjects = [
        (kind, [(code, name, *example(kind, code)) for code, name in settings.LANGUAGES])
        for kind in kinds.with_templates()
    ]
    return _page(request, "notifications/previews/index.html", {"kinds": kinds_and_subjects})


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    kind, language = _kind(name), _language(request)
    shown, problem = example(kind, language)
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
    shown, problem = example(_kind(name), _language(request))
    if shown is None:
        return HttpResponse(problem, content_type="text/plain", status=500)
    response = HttpResponse(shown.html.replace("(prefers-color-scheme: dark)", SCHEMES[_scheme(request)]))
    # The styles of emails are inline, and the preview frames them. For other pages, both are forbidden.
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    response = render(request, template, context)
    response["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; frame-src 'self'; base-uri 'none';"
        " form-action 'self'; frame-ancestors 'none'"
    )
    return response


def _kind(name: str) -> Kind:
    for kind in kinds.with_templates():
        if kind.name == name:
            return kind
    raise Http404(name)


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
