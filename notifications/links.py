"""Build and read the signed links of the engine's public pages."""

from functools import cache
from typing import Any

from django.core import signing
from django.urls import NoReverseMatch, reverse

from notifications.conf import settings
from notifications.rules.states import Stream

#: The variable with which the templates of a bulk email print its link. Treated as a secret of each bulk kind.
UNSUBSCRIBE_VARIABLE = "unsubscribe_url"
#: The token of links in previews. It opens nothing.
DEAD_TOKEN = "preview"  # noqa: S105
#: The body with which an email program unsubscribes (RFC 8058).
ONE_CLICK = "List-Unsubscribe=One-Click"
_SALT = "notifications.unsubscribe"


class BadLinkError(ValueError):
    """The token of a link is incomplete, forged or expired."""


def unsubscribe_url(address: str) -> str:
    """Return the link with which the recipient leaves bulk email.

    Empty if the project lacks the engine's URLs. The same for every email to the address. It never expires: an old
    email must be able to end the next one.
    """
    return _url(signing.Signer(salt=_SALT).sign_object([address.lower(), Stream.BULK.value]))


def dead_unsubscribe_url() -> str:
    return _url(DEAD_TOKEN)


def unsubscribing_address(token: str) -> str:
    """Return the address that a link unsubscribes from bulk email. Raises BadLinkError."""
    try:
        address, stream = signing.Signer(salt=_SALT).unsign_object(token)
    except (signing.BadSignature, TypeError, ValueError):
        # The last two come from a token that another release has signed.
        raise BadLinkError from None
    if stream != Stream.BULK:
        raise BadLinkError
    return str(address)


def _url(token: str) -> str:
    route = _route("notifications:unsubscribe", getattr(settings, "ROOT_URLCONF", None))
    before, _, after = route.rpartition(DEAD_TOKEN)
    return f"{settings.SITE_URL}{before}{token}{after}" if after else ""


@cache
def _route(name: str, urls: Any) -> str:
    # Found once: for an email to many, finding it each time would take a third of the rendering.
    try:
        return reverse(name, args=[DEAD_TOKEN]) if urls else ""
    except NoReverseMatch:
        return ""
