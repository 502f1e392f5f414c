"""What differs between Django 5.2 and 6 for emails."""

from email.policy import EmailPolicy
from typing import TYPE_CHECKING, Any

import django
from django.core import mail

#: Whether Django's emails are those of Python's modern email API.
IS_MODERN = django.VERSION >= (6, 0)

if TYPE_CHECKING or not IS_MODERN:
    from django.core.mail import BadHeaderError

    DjangosHeaderError = BadHeaderError
else:
    # Its old name warns.
    DjangosHeaderError = ValueError


class EncodedPolicy(EmailPolicy):
    """Writes our encoded words as they are.

    Python would decode them, and write text that looks like an encoded word without encoding it again.
    """

    def header_store_parse(self, name: str, value: Any) -> Any:
        if not (isinstance(value, str) and "=?" in value and value.isascii()):
            return super().header_store_parse(name, value)
        # At most one recipient or encoded word in a line.
        return name, value.replace(", ", ",\n ").replace("?= =?", "?=\n =?")


#: For servers, as `email.policy.SMTP`; 8-bit text needs 8BITMIME on each server along the way.
SEVEN_BIT_POLICY = EncodedPolicy(linesep="\r\n", cte_type="7bit", refold_source="none")
_DEFAULT = EncodedPolicy(refold_source="none")


class ComposedEmail(mail.EmailMultiAlternatives):
    """An email whose headers may contain encoded words of ours."""

    def message(self, **options: Any) -> Any:
        return super().message(**({"policy": _DEFAULT} | options if IS_MODERN else {}))
