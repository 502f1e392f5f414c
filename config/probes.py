"""Answers health probes before anything looks at the host: load balancers ask by IP address."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config import views

PROBES = {"/healthz/live": views.live, "/healthz/ready": views.ready}


class AnswerProbes:
    """Middleware. Where the host is checked, each probe by IP address would be a 400 and a traceback in the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = PROBES.get(request.path_info)
        return view(request) if view else self._get_response(request)
