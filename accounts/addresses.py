"""The one form in which an address is stored, and errors for other forms."""

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

# The commonest slips by their characters, with a code and a sentence each. The first that applies is reported.
_SLIPS = (
    ("\r\n\x00", "control_characters", _("Please leave out line breaks and control characters.")),
    ("<>", "not_alone", _("Please enter the address alone, without a name.")),
    (",;", "several", _("Please enter one address only.")),
    (" ", "spaces", _("An address has no spaces.")),
)
_NO_AT_SIGN = _("An address has an @ sign, like ada@example.com.")
# The parser has a reason for every fault, in English only; where the fault is, the user sees as well.
_IS_NONE = _("This email address doesn't look right. Example: ada@example.com.")


def canonical_address(raw: str) -> str:
    """Return `raw` as it is stored: ASCII, the domain in punycode, lower-cased.

    Raises ValidationError, with a sentence for the user, unless the engine's parser reads exactly one address.
    Invisible characters from pasting (soft hyphens, zero-width and no-break spaces, marks of direction) are left out.
    """
    raw = one_form(raw)
    if len(raw) > MAX_LENGTH:
        raise _too_long()
    try:
        address = one_address(raw)
    except BadAddressError as error:
        raise _slip(raw) from error
    if len(address) > MAX_LENGTH:
        raise _too_long()
    return address.lower()


def mailbox_of(address: str) -> str:
    # For counting, never for sending. Most servers deliver "ada+anything" to "ada", some ignore dots, and some have
    # several domains for one mailbox.
    local, at, domain = address.rpartition("@")
    domain = _SAME_MAILBOX.get(domain, domain)
    local = local.partition("+")[0] or local
    if domain in _WITHOUT_DOTS:
        local = local.replace(".", "") or local
    return f"{local}{at}{domain}"


def _slip(raw: str) -> ValidationError:
    if "@" not in raw:
        return ValidationError(_NO_AT_SIGN, code="no_at_sign")
    for characters, code, sentence in _SLIPS:
        if any(one in raw for one in characters):
            return ValidationError(sentence, code=code)
    return ValidationError(_IS_NONE, code="invalid")


def _too_long() -> ValidationError:
    return ValidationError(
        _("This address is too long: at most %(limit)d characters."), code="max_length", params={"limit": MAX_LENGTH}
    )
