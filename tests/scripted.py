"""A provider whose answers a test writes down beforehand."""

from collections import deque
from collections.abc import Callable

from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.base import Provider
from notifications.providers.mail import Accepted, ErrorClass, OutgoingMail, ProviderError

Answer = ErrorClass | ProviderError | Callable[[OutgoingMail], None] | None


class ScriptedProvider(Provider):
    """Takes every mail, unless the next line of `script` says otherwise: an error, or something to do meanwhile."""

    name = "scripted"

    def __init__(self) -> None:
        self.script: deque[Answer] = deque()
        self.taken: list[OutgoingMail] = []

    def connect(self) -> BaseEmailBackend:
        raise AssertionError("a fake has no connection")

    def translate(self, error: Exception) -> ProviderError:
        raise AssertionError("a fake raises our own errors")

    def missing_settings(self) -> list[str]:
        return []

    def send(self, mail: OutgoingMail) -> Accepted:
        line = self.script.popleft() if self.script else None
        if isinstance(line, ErrorClass):
            raise ProviderError(line, "scripted", "as the test says")
        if isinstance(line, ProviderError):
            raise line
        if line is not None:
            line(mail)
        self.taken.append(mail)
        return Accepted(f"scripted-{len(self.taken)}")
