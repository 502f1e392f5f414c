"""The backend that a project had before Mailroom: it answers as a test asks."""

from typing import Any, ClassVar

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

CHANGED = "changed"


class OldBackend(BaseEmailBackend):
    """Notes what it gets. `answer` is returned, called with the emails, or raised."""

    taken: ClassVar[list[EmailMessage]] = []
    calls: ClassVar[list[tuple[Any, ...]]] = []
    answer = staticmethod(len)

    def __init__(self, fail_silently=False, **options):
        super().__init__(fail_silently=fail_silently)
        self.calls.append(("created", fail_silently, options))

    def open(self):
        self.calls.append(("open",))
        return True

    def close(self):
        self.calls.append(("close",))

    def send_messages(self, email_messages):
        self.taken.extend(email_messages)
        for email in email_messages:
            # As Anymail and others do.
            email.subject = CHANGED
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(email_messages) if callable(self.answer) else self.answer
