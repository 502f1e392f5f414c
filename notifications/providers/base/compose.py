"""Turn an OutgoingEmail into the object that Django's backends send."""

from collections.abc import Mapping
from email.errors import MessageError
from email.header import Header, decode_header, make_header
from email.headerregistry import Address
from email.utils import getaddresses
from functools import lru_cache
from typing import Any

from django.core.mail import EmailMultiAlternatives

from notifications.providers.base.checked import BadEmailError, encodable, header_name, single_line
from notifications.providers.base.django_versions import ComposedEmail
from notifications.providers.base.files import attach
from notifications.providers.base.rebuilt_email import RebuiltEmail, rebuilt_email
from notifications.providers.base.sending import BatchRecipient, OutgoingEmail
from notifications.rules.addresses import BadAddressError, NamedAddress, one_address

MESSAGE_ID_KEY = "mailroom_message_id"
ATTEMPT_KEY = "mailroom_attempt"

# The start of an encoded word (RFC 2047).
_ENCODED_WORD = "=?"
# Sender and recipient come from OutgoingEmail alone.
_ADDRESSING = {"from", "sender", "to", "cc", "bcc", "return-path"}


class BadSenderError(ValueError):
    """The sender is not exactly one usable address: the set-up is wrong, not the email."""


def compose(mail: OutgoingEmail) -> EmailMultiAlternatives:
    """Build the message.

    Raises BadEmailError, BadSenderError, BadAddressError and BadHeaderError. Its metadata holds our id and the attempt,
    so that a webhook can settle a message whose answer was lost.
    """
    if mail.email is not None:
        return _authored(mail, mail.email)
    message = ComposedEmail(
        subject=as_written(single_line(mail.subject)),
        body=checked_part("text", mail.text),
        from_email=sender_header(mail.from_email),
        to=[recipient_header(mail.to_name, mail.to_address), *map(header_of, mail.more_to)],
        cc=[*map(header_of, mail.cc)],
        bcc=[*map(header_of, mail.bcc)],
        reply_to=[*map(header_of, mail.reply_to)],
        headers=dict(checked_header(*item) for item in mail.headers.items()),
    )
    message.attach_alternative(checked_part("html", mail.html), "text/html")
    for file in mail.attachments:
        attach(message, file)
    message.metadata = tracking_metadata(mail)  # type: ignore[attr-defined]
    if mail.tags:
        message.tags = [*map(single_line, mail.tags)]  # type: ignore[attr-defined]
    return message


def _authored(mail: OutgoingEmail, kept: Mapping[str, Any]) -> RebuiltEmail:
    # Its author's headers win, also over our Message-ID.
    people = (mail.to_address, *(one.address.lower() for one in (*mail.more_to, *mail.cc, *mail.bcc)))
    message = rebuilt_email(kept, mail.attachments, people)
    named = {name.lower() for name in message.extra_headers}
    message.put_first(mail.to_address)
    for one in mail.cc:
        message.also_to(one.address)
    message.extra_headers |= {name: value for name, value in mail.headers.items() if name.lower() not in named}
    message.metadata = {**getattr(message, "metadata", {}), **tracking_metadata(mail)}
    return message


def header_of(person: NamedAddress) -> str:
    return recipient_header(person.name, person.address)


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


def checked_header(name: str, value: str) -> tuple[str, str]:
    """Return a header that can be sent. Raises BadHeaderError and BadEmailError."""
    if header_name(name).lower() in _ADDRESSING or name.lower().startswith("resent-"):
        raise BadEmailError("a header must not change the recipient or the sender")
    return name, single_line(value)


def checked_part(name: str, content: str) -> str:
    # Spam filters distrust an email that lacks its text or its HTML.
    if not content.strip():
        raise BadEmailError(f"the {name} is empty")
    return encodable(f"the {name}", content)
