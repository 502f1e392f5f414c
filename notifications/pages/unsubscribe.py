"""Leave bulk email, and subscribe again, by the link of an email. Works without an account.

Link scanners open every link, and some post the forms that they find. So GET only asks, and a POST acts only with the
exact body of RFC 8058 or with the field of the page's button, which a form has only if its button is pressed.
"""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from notifications import links
from notifications.events import consent
from notifications.kinds import KINDS
from notifications.pages.public import public_page
from notifications.rules.states import Stream

#: The field of the page's buttons.
ACTION = "action"


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    if token == links.DEAD_TOKEN:
        return render(request, "notifications/unsubscribe/preview.html")
    try:
        address = links.unsubscribing_address(token)
    except links.BadLinkError:
        return render(request, "notifications/unsubscribe/bad_link.html", status=HTTPStatus.NOT_FOUND)
    return _acted(request, address) if request.method == "POST" else _page(request, address)


def is_one_click(body: QueryDict) -> bool:
    """Decide whether a form has exactly the field of RFC 8058, urlencoded or multipart. Pure."""
    name, _, value = links.ONE_CLICK.partition("=")
    return dict(body.lists()) == {name: [value]}


def _acted(request: HttpRequest, address: str) -> HttpResponse:
    if is_one_click(request.POST) and not request.FILES:
        consent.unsubscribe(address, consent.BY_ONE_CLICK)
        # An email program reads only the status. It follows no redirect.
        return HttpResponse("unsubscribed\n", content_type="text/plain")
    match request.POST.getlist(ACTION):
        case ["unsubscribe"]:
            consent.unsubscribe(address, consent.BY_PAGE)
        case ["resubscribe"]:
            consent.resubscribe(address)
        case _:
            return _page(request, address, HTTPStatus.BAD_REQUEST)
    # The page that follows shows the new state, and a reload does not post again.
    return HttpResponseRedirect(request.path)


def _page(request: HttpRequest, address: str, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    context = {
        "address": address,
        "subscription": consent.subscription(address),
        "kinds": [kind.title for kind in KINDS.values() if kind.stream == Stream.BULK and kind.title],
    }
    return render(request, "notifications/unsubscribe/ask.html", context, status=status)
