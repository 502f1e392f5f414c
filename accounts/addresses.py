"""Normalize an email address as it is stored, or report what is wrong."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from notifications import BadAddressError, one_address, one_form

MAX_LENGTH = 254  # RFC 5321's limit on a path, less the angle brackets

_SAME_MAILBOX = {
    "googlemail.com": "gmail.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "protonmail.com": "proton.me",
    "pm.me": "proton.me",
}
_WITHOUT_DOTS = {"gmail.com", "proton.me"}

# Common typos: their characters, an error code and a message. The first match is reported.
_TYPOS = (
    ("\r\n\x00", "control_characters", _("Please remove line breaks and control characters.")),
    ("<>", "not_alone", _("Please enter only the address, without a name.")),
    (",;", "several", _("Please enter only one address.")),
    (" ", "spaces", _("An address can't contain spaces.")),
)
_NO_AT_SIGN = _("An address needs an @ sign, like ada@example.com.")
# The parser's own reasons are in English only.
_INVALID = _("This email address doesn't look right. Example: ada@example.com.")


def canonical_address(raw: str) -> str:
    """Return the address as it is stored: ASCII, the domain in punycode, lower-cased.

    Invisible characters from pasting (soft hyphens, zero-width spaces, direction marks) are removed. Raises
    ValidationError, with a message for the user, unless the text is exactly one address.
    """
    raw = one_form(raw)
    if len(raw) > MAX_LENGTH:
        raise _too_long()
    try:
        address = one_address(raw)
    except BadAddressError as error:
        raise _typo(raw) from error
    if len(address) > MAX_LENGTH:
        raise _too_long()
    return address.lower()


def mailbox_of(address: str) -> str:
    # For counting only, never for sending. Most servers deliver "ada+anything" to "ada", some ignore dots, and some
    # have several domains for one mailbox.
    local, at, domain = address.rpartition("@")
    domain = _SAME_MAILBOX.get(domain, domain)
    local = local.partition("+")[0] or local
    if domain in _WITHOUT_DOTS:
        local = local.replace(".", "") or local
    return f"{local}{at}{domain}"


def _typo(raw: str) -> ValidationError:
    if "@" not in raw:
        return ValidationError(_NO_AT_SIGN, code="no_at_sign")
    for characters, code, text in _TYPOS:
        if any(character in raw for character in characters):
            return ValidationError(text, code=code)
    return ValidationError(_INVALID, code="invalid")


def _too_long() -> ValidationError:
    return ValidationError(
        _("This address is too long: at most %(limit)d characters."), code="max_length", params={"limit": MAX_LENGTH}
    )
