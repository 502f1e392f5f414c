"""What all public pages have in common."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

View = Callable[..., HttpResponse]


def public_page(view: View) -> View:
    """Let anyone with the link open the view, without a log-in or a cookie.

    Other sites do not learn the link. The token in it authorizes each POST, so a CSRF token would add nothing. Not
    `no-referrer`: with it, browsers send `Origin: null` with the other forms of the project's base template, and Django
    refuses them.
    """

    @wraps(view)
    def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "strict-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    return login_not_required(csrf_exempt(never_cache(opened)))
