"""What no database, header or file name can hold is stopped before a page sees it."""

from collections.abc import Callable, Mapping
from unicodedata import category
from urllib.parse import unquote_to_bytes

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse

# A NUL cannot be asked of PostgreSQL, half a surrogate cannot be encoded, and no cookie of ours holds a control
# character. Cookies come quoted, so that `"\000"` is one character.
UNUSABLE = {"Cc", "Cs"}


class RefuseNul:
    """A query or path with a NUL is refused; a cookie that we cannot have set counts as none.

    It is not refused, because the browser would send it with every request: its user could open no page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info:
            raise Http404
        if b"\x00" in unquote_to_bytes(request.META.get("QUERY_STRING", "")):
            raise BadRequest("a NUL in the query string")
        request.COOKIES = usable(request.COOKIES)
        return self.get_response(request)


def usable(cookies: Mapping[str, str]) -> dict[str, str]:
    """Return the cookies without those that hold a control character or half a surrogate. Pure."""
    return {name: value for name, value in cookies.items() if UNUSABLE.isdisjoint(map(category, name + value))}
