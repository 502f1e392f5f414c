"""What every answer says to the browser beside what Django's middleware does."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# None of it is used here, so that nothing that slips into a page can use it.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()" for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
)


class PrivateLinks:
    """Keeps the address of a page that carries a token to the page; gives every answer its permissions policy.

    Such pages are known by their route, which has a `token`. Their stylesheet and their forms would otherwise be asked
    for with the whole address as Referer, and that ends in the logs of whatever stands in front. Not `no-referrer`: a
    browser then sends `Origin: null` with the form, which Django's CSRF check refuses.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Permissions-Policy"] = PERMISSIONS_POLICY
        match = request.resolver_match
        if match is not None and "token" in match.kwargs:
            response["Referrer-Policy"] = "strict-origin"
            response["Cache-Control"] = "no-store"
        return response
