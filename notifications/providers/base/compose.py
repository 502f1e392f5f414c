"""Turn an OutgoingEmail into the object that Django's backends send."""

import re
from email.errors import MessageError
from email.header import Header, decode_header, make_header
from email.headerregistry import Address
from email.utils import getaddresses
from functools import lru_cache

from django.core.mail import BadHeaderError, EmailMultiAlternatives

from notifications.providers.base.sending import BatchRecipient, OutgoingEmail
from notifications.rules.addresses import BadAddressError, one_address

MESSAGE_ID_KEY = "mailroom_message_id"
ATTEMPT_KEY = "mailroom_attempt"

# Including Python's line breaks (\x0b, \x0c, \x1c-\x1e, \x85, U+2028, U+2029): its email package splits there.
_BREAKS = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
# RFC 5322, section 3.6.8: printable ASCII without the colon.
_HEADER_NAME = re.compile(r"[!-9;-~]+")
# The start of an encoded word (RFC 2047).
_ENCODED_WORD = "=?"
# Sender and recipient come from OutgoingEmail alone.
_ADDRESSING = {"from", "sender", "to", "cc", "bcc", "return-path"}


class BadEmailError(ValueError):
    """The email cannot be sent. The text names the part, never its content."""


class BadSenderError(ValueError):
    """The sender is not exactly one usable address: the set-up is wrong, not the email."""


def compose(mail: OutgoingEmail) -> EmailMultiAlternatives:
    """Build the message to exactly one recipient, as text and HTML.

    Raises BadEmailError, BadSenderError, BadAddressError and BadHeaderError. Its metadata holds our id and the attempt,
    so that a webhook can settle a message whose answer was lost.
    """
    message = EmailMultiAlternatives(
        subject=as_written(single_line(mail.subject)),
        body=checked_part("text", mail.text),
        from_email=sender_header(mail.from_email),
        to=[recipient_header(mail.to_name, mail.to_address)],
        headers=dict(checked_header(*item) for item in mail.headers.items()),
    )
    message.attach_alternative(checked_part("html", mail.html), "text/html")
    message.metadata = tracking_metadata(mail)  # type: ignore[attr-defined]
    return message


def tracking_metadata(mail: OutgoingEmail | BatchRecipient) -> dict[str, str]:
    return {MESSAGE_ID_KEY: str(mail.message_id), ATTEMPT_KEY: str(mail.attempt)}


@lru_cache(maxsize=64)
def sender_header(from_email: str) -> str:
    """Return the sender as one header value, its address in ASCII. Raises BadSenderError."""
    found = getaddresses([from_email])
    try:
        ((name, address),) = found
        single_line(from_email)
        return recipient_header(_decoded(name), address)
    except ValueError as error:
        raise BadSenderError("the sender is not exactly one address") from error


@lru_cache(maxsize=64)
def bare_sender(from_email: str) -> str:
    """Return the bare address of a sender, in ASCII. Raises BadSenderError."""
    try:
        ((_, address),) = getaddresses([from_email])
        return one_address(address)
    except ValueError as error:
        raise BadSenderError("the sender is not exactly one address") from error


def recipient_header(name: str, address: str) -> str:
    # A name with commas or quotes stays one recipient.
    return person_header(*checked_recipient(name, address))


def checked_recipient(name: str, address: str) -> tuple[str, str]:
    """Return name and address, the address in ASCII. Raises BadAddressError, BadHeaderError and BadEmailError."""
    return name and single_line(name), one_address(address)


def person_header(name: str, address: str) -> str:
    """Return a checked name and address as one header value. Raises BadAddressError."""
    if not name:
        return address
    # An encoded word must not be in quotes, which the name would otherwise get.
    if _ENCODED_WORD in name:
        return f"{encoded_word(name)} <{address}>"
    local, _, domain = address.rpartition("@")
    try:
        return str(Address(display_name=name, username=local, domain=domain))
    except ValueError as error:
        raise BadAddressError("the name cannot be put into a header") from error


def ascii_person_header(name: str, address: str) -> str:
    # For an API that does not encode the name.
    return person_header(name, address) if name.isascii() else f"{encoded_word(name)} <{address}>"


def shown_name(name: str) -> str:
    # For an API that takes the name apart from the address.
    return encoded_word(name) if _ENCODED_WORD in name else name


def encoded_word(name: str) -> str:
    # One word: between several, some programs show the spaces.
    return Header(name, "utf-8").encode(maxlinelen=0)


def as_written(text: str) -> str:
    # A subject that looks like an encoded word, as in "=?utf-8?q?...?=", would be decoded to other text.
    if _ENCODED_WORD not in text:
        return text
    # One line: the header is folded later, and spaces between encoded words are not shown.
    return " ".join(Header(text, "utf-8", header_name="Subject").encode().split())


def _decoded(name: str) -> str:
    # The setting may contain an encoded word on purpose.
    try:
        return str(make_header(decode_header(name)))
    except (ValueError, LookupError, MessageError):
        return name


def single_line(value: str) -> str:
    """Return `value` if it is one line that can be encoded.

    Raises BadHeaderError or BadEmailError. SendGrid's adapter does not refuse line breaks.
    """
    if _BREAKS.search(value):
        raise BadHeaderError("a header value must not hold a line break")
    return _encodable("a header value", value)


def checked_header(name: str, value: str) -> tuple[str, str]:
    """Return a header that can be sent. Raises BadHeaderError and BadEmailError."""
    if not _HEADER_NAME.fullmatch(name):
        raise BadHeaderError("a header's name must be printable ASCII")
    if name.lower() in _ADDRESSING or name.lower().startswith("resent-"):
        raise BadEmailError("a header must not change the recipient or the sender")
    return name, single_line(value)


def checked_part(name: str, content: str) -> str:
    # Spam filters distrust an email that lacks its text or its HTML.
    if not content.strip():
        raise BadEmailError(f"the {name} is empty")
    return _encodable(f"the {name}", content)


def _encodable(name: str, content: str) -> str:
    # Half a surrogate pair would fail later, and look like a bad key.
    try:
        content.encode()
    except UnicodeEncodeError as error:
        raise BadEmailError(f"{name} holds half a character") from error
    return content
