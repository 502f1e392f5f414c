"""The email backend for Django's `send_mail()`. It refuses to send and names the alternative."""

import logging
from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

logger = logging.getLogger(__name__)

WHY = "send_mail() sends nothing here: declare a kind of email (docs/how-to/add-a-kind.md) or set EMAIL_BACKEND."


class NotSentError(RuntimeError):
    """Nothing was sent. Neither its text nor the log contains the email, whose links may be secret."""


class RefusingBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if not email_messages:
            return 0
        logger.error("%d not sent. %s", len(email_messages), WHY)
        if self.fail_silently:
            return 0
        raise NotSentError(WHY)
