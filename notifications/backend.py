"""Django's email backend: each EmailMessage becomes one message of the kind `email`.

EMAIL_BACKEND = "notifications.backend.OutboxBackend", or ShadowBackend to try it beside the present backend
"""

import logging
import time
from collections.abc import Iterable
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import Error, transaction

from notifications.conf import settings
from notifications.outbox.finished import EmailTerms, enqueue_finished
from notifications.outbox.shadow import OldSend, ms_since, queue_copies, read_copies
from notifications.outbox.unqueued import log_unqueued
from notifications.rules.shadow import is_switched

logger = logging.getLogger(__name__)


class OutboxBackend(BaseEmailBackend):
    """Writes emails in the caller's transaction, and publishes them after the commit.

    `stream`, `key` and `send_at` apply to each email: `get_connection(stream="bulk")`. The headers X-Mailroom-Stream,
    X-Mailroom-Key and X-Mailroom-Send-At of an email override them, and are not sent.
    """

    def __init__(
        self,
        fail_silently: bool = False,
        *,
        stream: str = "",
        key: str = "",
        send_at: datetime | None = None,
        **ignored: Any,
    ) -> None:
        # Django also gives the user and password of an SMTP server.
        super().__init__(fail_silently=fail_silently)
        self.terms = EmailTerms(stream=stream, key=key, send_at=send_at)

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        """Write the emails and return their number; those without recipients are left out.

        Raises ValueError and TypeError before anything is written, and Django's database errors. With `fail_silently`,
        logs an error and leaves that email out.
        """
        if not self.fail_silently:
            return self._write(email_messages)
        return sum(self._try_to_write(email) for email in email_messages)

    def _write(self, emails: Iterable[EmailMessage]) -> int:
        return len(enqueue_finished([(email, self.terms) for email in emails if email.recipients()]))

    def _try_to_write(self, email: EmailMessage) -> int:
        try:
            with transaction.atomic():
                return self._write([email])
        except (ValueError, TypeError, Error) as error:
            log_unqueued(logger.error, "an email was not queued: %s", type(error).__name__)
            return 0


class ShadowBackend(BaseEmailBackend):
    """Sends each email once: through SHADOWED_BACKEND, or through Mailroom to SHADOW_PERCENT of the addresses.

    What SHADOWED_BACKEND sends is also queued as a copy, which a worker composes and compares, and never sends.
    """

    def __init__(self, fail_silently: bool = False, **options: Any) -> None:
        super().__init__(fail_silently=fail_silently)
        theirs = {name: value for name, value in options.items() if name not in {"stream", "key", "send_at"}}
        self._old = get_connection(settings.SHADOWED_BACKEND, fail_silently=fail_silently, **theirs)
        self._mailroom = OutboxBackend(fail_silently, **options)

    def open(self) -> Any:
        return self._old.open()

    def close(self) -> None:
        self._old.close()

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> Any:
        """Send the emails and return what SHADOWED_BACKEND returns, plus the number that Mailroom has queued.

        Raises what SHADOWED_BACKEND raises. If Mailroom raises, nothing was sent.
        """
        emails = list(email_messages)
        ours = [email for email in emails if _is_ours(email)]
        if not ours:
            return self._send_shadowed(emails)
        count = self._mailroom.send_messages(ours)
        theirs = [email for email in emails if not any(email is one for one in ours)]
        if theirs:
            sent = self._send_shadowed(theirs)
            count += sent if isinstance(sent, int) else len(theirs)
        return count

    def _send_shadowed(self, emails: list[EmailMessage]) -> Any:
        # Copied first: a backend may change what it sends.
        copies = read_copies(emails)
        began = time.perf_counter()
        try:
            sent = self._old.send_messages(emails)
        except Exception as error:
            queue_copies(copies, OldSend(ms=ms_since(began), accepted=0, error=type(error).__name__))
            raise
        # Some backends return another thing than a number.
        accepted = sent if isinstance(sent, int) else len(emails)
        queue_copies(copies, OldSend(ms=ms_since(began), accepted=accepted))
        return sent


def _is_ours(email: EmailMessage) -> bool:
    if not settings.SHADOW_PERCENT:
        return False
    recipients = email.recipients()
    return bool(recipients) and is_switched(parseaddr(str(recipients[0]))[1], settings.SHADOW_PERCENT)
