"""Remember the client of the current request for code without a request, such as receivers."""

from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

from accounts.ratelimits.decorators import client_key

_requester: ContextVar[str] = ContextVar("requester", default="")


def requester_key() -> str:
    # A keyed hash of the client's address; "" outside of a request.
    return _requester.get()


class RememberRequesterMiddleware:
    """Remembers the client during its request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = _requester.set(client_key(request))
        try:
            return self._get_response(request)
        finally:
            _requester.reset(before)
