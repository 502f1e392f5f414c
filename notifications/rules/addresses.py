"""Parse the one shape in which an address may reach a provider."""

from email_validator import EmailNotValidError, validate_email


class BadAddressError(ValueError):
    """The text is not exactly one deliverable address.

    The error does not repeat the address, because logs show the error.
    """


def one_address(raw: str) -> str:
    """Return `raw` as one ASCII addr-spec, the domain in punycode.

    Raises BadAddressError. Provider libraries take "a@x, b@y" or a line break for two recipients, so everything that is
    not exactly one address is refused.
    """
    try:
        found = validate_email(raw, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise BadAddressError("not exactly one e-mail address in ASCII form") from error
    if found.ascii_email is None:
        raise BadAddressError("the address has no ASCII form")
    return found.ascii_email
