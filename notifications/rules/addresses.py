"""Parse an email address into the one form that providers accept."""

from email_validator import EmailNotValidError, validate_email


class BadAddressError(ValueError):
    """The text is not exactly one address. The message does not repeat it, because logs show the message."""


def one_address(raw: str) -> str:
    """Return `raw` as one ASCII addr-spec, the domain in punycode.

    Raises BadAddressError for anything but exactly one address: provider libraries read "a@x, b@y" or a line break as
    two recipients.
    """
    try:
        found = validate_email(raw, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise BadAddressError("not exactly one email address in ASCII form") from error
    if found.ascii_email is None:
        raise BadAddressError("the address has no ASCII form")
    return found.ascii_email
