"""The one form in which an address is stored, and sentences for the people who type others."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from email_validator import EmailNotValidError, validate_email

from accounts import typed

MAX_LENGTH = 254  # RFC 5321's limit on a path, less the angle brackets

_SAME_MAILBOX = {
    "googlemail.com": "gmail.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "protonmail.com": "proton.me",
    "pm.me": "proton.me",
}
_WITHOUT_DOTS = {"gmail.com", "proton.me"}

# The commonest slips, each with a plainer sentence than the validator's. The first that applies is said.
_SLIPS = (
    ("\r\n\x00", _("Please leave out line breaks and control characters.")),
    ("<>", _("Please enter the address alone, without a name.")),
    (",;", _("Please enter one address only.")),
    (" ", _("An address has no spaces.")),
)
# The validator has a sentence for every fault, in English only; where the fault is, the person sees as well.
_IS_NONE = _("This email address doesn't look right. Example: ada@example.com.")


def canonical_address(raw: str) -> str:
    """Return `raw` in the form that is stored: ASCII, the domain in punycode, lower-cased.

    Raises ValidationError, with a sentence for the person who typed it, unless `raw` is exactly one address to which
    mail can be sent in plain SMTP. Whether somebody reads mail there is not asked. What pasting brings along unseen
    (soft hyphens, zero-width and no-break spaces, marks of direction) is left out.
    """
    raw = typed.one_form(raw)
    if len(raw) > MAX_LENGTH:
        raise _too_long()
    try:
        found = validate_email(raw, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise ValidationError(_slip(raw) or _IS_NONE, code="invalid") from error
    if found.ascii_email is None:
        raise ValidationError(_("We cannot send mail to this address."), code="invalid")
    if len(found.ascii_email) > MAX_LENGTH:
        raise _too_long()
    return found.ascii_email.lower()


def mailbox_of(address: str) -> str:
    """Return what names the mailbox behind a canonical address, however it is varied: for counting, never for sending.

    Most servers deliver "ada+anything" to "ada", some leave out dots, and some have several domains for one mailbox.
    """
    local, at, domain = address.rpartition("@")
    domain = _SAME_MAILBOX.get(domain, domain)
    local = local.partition("+")[0] or local
    if domain in _WITHOUT_DOTS:
        local = local.replace(".", "") or local
    return f"{local}{at}{domain}"


def _slip(raw: str) -> str | None:
    if "@" not in raw:
        return gettext("An address has an @ sign, like ada@example.com.")
    return next((str(sentence) for characters, sentence in _SLIPS if any(one in raw for one in characters)), None)


def _too_long() -> ValidationError:
    return ValidationError(
        _("This address is too long: at most %(limit)d characters."), code="max_length", params={"limit": MAX_LENGTH}
    )
