"""Refresh `{% email_progress %}`, resend its email, and correct the address."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from uuid import uuid5

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from notifications import lookup
from notifications.kinds import UnknownKindError
from notifications.links import BadLinkError
from notifications.models import Message
from notifications.models.copies import copies_of
from notifications.outbox.cancel import cancel
from notifications.outbox.resend import NotResentError, resend
from notifications.pages.pace import Pace
from notifications.pages.progress_link import ProgressLink
from notifications.pages.public import public_page
from notifications.pages.shown import Shown
from notifications.rules.addresses import BadAddressError, one_address
from notifications.rules.text import one_form

LinkView = Callable[[HttpRequest, ProgressLink], HttpResponse]
# A page asks at most twice a second; a user may have it open several times.
WINDOW_S = 60
pace = Pace(most=600, window_s=WINDOW_S)
#: Of one email: the first one, its resends and its corrections.
MOST_COPIES = 6
CORRECTED = "the recipient corrected the address"


def with_link(view: LinkView) -> Callable[[HttpRequest, str], HttpResponse]:
    # Limits the rate, whatever the page allows.
    @wraps(view)
    def opened(request: HttpRequest, token: str) -> HttpResponse:
        try:
            link = ProgressLink.load(token)
        except BadLinkError:
            return _expired(request)
        if not pace.allows(link.message_id.hex):
            return HttpResponse(status=HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": str(WINDOW_S)})
        return view(request, link)

    return opened


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
@with_link
def progress_part(request: HttpRequest, link: ProgressLink) -> HttpResponse:
    """Return the newest version of the part; a POST resends the email, if allowed."""
    if request.method != "POST":
        return render(request, "notifications/progress/part.html", {"shown": Shown(link)})
    shown = Shown(link)
    if link.resend is True and shown.resend_url and not shown.wait_s:
        send_copy(link)
    return HttpResponseRedirect(_page_of(request, link))


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
@with_link
def progress_address(request: HttpRequest, link: ProgressLink) -> HttpResponse:
    """Ask for the right address, and send the email there."""
    shown = Shown(link)
    if link.correct is not True or not shown.correct_url:
        return _expired(request)
    typed = request.POST.get("address", shown.address)
    error = _correct(link, shown, typed) if request.method == "POST" else ""
    if request.method == "POST" and not error:
        return HttpResponseRedirect(_page_of(request, link))
    context = {"typed": typed, "error": error, "page": _page_of(request, link)}
    return render(request, "notifications/progress/address.html", context)


def _correct(link: ProgressLink, shown: Shown, typed: str) -> str:
    """Send the email to the typed address; return why not, in the user's language."""
    try:
        address = one_address(one_form(typed)).lower()
    except BadAddressError:
        return _("This email address doesn't look right. Example: ada@example.com.")
    if address == shown.address:
        return _("We have written to this address.")
    if not shown.can_be_corrected_now:
        return _("Please wait a minute before you change the address again.")
    return "" if send_copy(link, to=address) else _("We're sending this email now. Please try again in a minute.")


def send_copy(link: ProgressLink, to: str = "") -> bool:
    """Enqueue the email again, perhaps to another address.

    Return False if it may still arrive, was sent too many times or cannot be sent.
    """
    original = Message.objects.select_related("user").filter(pk=link.message_id).first()
    copies = len(copies_of([original])[original.id]) if original else 0
    if original is None or copies >= MOST_COPIES:
        return False
    try:
        with transaction.atomic():
            newest = lookup.awaited(original.id, resends=True)
            if to and newest.id:
                cancel(newest.id, CORRECTED)
            # The id is the same for both posts of a double click.
            resend(original, uuid5(original.id, str(copies)), copies=copies, to=to)
    except (NotResentError, UnknownKindError, BadAddressError):
        return False
    return True


def _page_of(request: HttpRequest, link: ProgressLink) -> str:
    is_ours = url_has_allowed_host_and_scheme(link.page, {request.get_host()}, require_https=request.is_secure())
    return link.page if is_ours else "/"


def _expired(request: HttpRequest) -> HttpResponse:
    return render(request, "notifications/progress/expired.html", status=HTTPStatus.GONE)
