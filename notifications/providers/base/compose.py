"""Turn an OutgoingEmail into the object that Django's backends send."""

import re
from email.errors import MessageError
from email.header import Header, decode_header, make_header
from email.headerregistry import Address
from email.utils import getaddresses
from functools import lru_cache

from django.core.mail import BadHeaderError, EmailMultiAlternatives

from notifications.providers.base.sending import OutgoingEmail
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
        body=_part("text", mail.text),
        from_email=sender_header(mail.from_email),
        to=[recipient_header(mail.to_name, mail.to_address)],
        headers={_header_name(name): single_line(value) for name, value in mail.headers.items()},
    )
    message.attach_alternative(_part("HTML", mail.html), "text/html")
    message.metadata = {MESSAGE_ID_KEY: str(mail.message_id), ATTEMPT_KEY: str(mail.attempt)}  # type: ignore[attr-defined]
    return message


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
    if not name:
        return one_address(address)
    try:
        return _named(single_line(name), one_address(address))
    except ValueError as error:
        if isinstance(error, BadAddressError | BadHeaderError | BadEmailError):
            raise
        raise BadAddressError("the name cannot be put into a header") from error


def _named(name: str, address: str) -> str:
    # An encoded word must not be in quotes, which the name would otherwise get.
    if _ENCODED_WORD not in name:
        return str(Address(display_name=name, addr_spec=address))
    # One word: between several, some programs show the spaces.
    return f"{Header(name, 'utf-8').encode(maxlinelen=0)} <{address}>"


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


def _header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise BadHeaderError("a header's name must be printable ASCII")
    if name.lower() in _ADDRESSING or name.lower().startswith("resent-"):
        raise BadEmailError("a header must not change the recipient or the sender")
    return name


def _part(name: str, content: str) -> str:
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
