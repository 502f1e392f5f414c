"""From an OutgoingMail to the object Django's mail backends take."""

from email.headerregistry import Address

from django.core.mail import BadHeaderError, EmailMultiAlternatives

from notifications.addresses import BadAddressError, one_address
from notifications.providers.mail import OutgoingMail

MESSAGE_ID_KEY = "mailroom_message_id"
ATTEMPT_KEY = "mailroom_attempt"


def compose(mail: OutgoingMail) -> EmailMultiAlternatives:
    """Build the message, text first and HTML beside it, to exactly one recipient.

    Our id and the attempt travel as metadata, so that a webhook can settle a message whose answer was lost.
    Raises BadAddressError and BadHeaderError.
    """
    message = EmailMultiAlternatives(
        subject=single_line(mail.subject),
        body=mail.text,
        from_email=mail.from_email,
        to=[recipient(mail.to_name, mail.to_address)],
        headers={name: single_line(value) for name, value in mail.headers.items()},
    )
    message.attach_alternative(mail.html, "text/html")
    message.metadata = {MESSAGE_ID_KEY: str(mail.message_id), ATTEMPT_KEY: str(mail.attempt)}  # type: ignore[attr-defined]
    return message


def recipient(name: str, address: str) -> str:
    """Return name and address as one header value; a name with commas or quotes stays one recipient."""
    if not name:
        return one_address(address)
    try:
        return str(Address(display_name=single_line(name), addr_spec=one_address(address)))
    except ValueError as error:
        if isinstance(error, BadAddressError | BadHeaderError):
            raise
        raise BadAddressError("the name cannot be put into a header") from error


def single_line(value: str) -> str:
    """Return `value` if it is one line; SendGrid's adapter would pass a line break on. Raises BadHeaderError."""
    if "\n" in value or "\r" in value:
        raise BadHeaderError("a header value must not hold a line break")
    return value
