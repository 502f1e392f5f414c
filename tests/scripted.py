"""A provider and a provider's account with scripted answers."""

from collections import deque
from collections.abc import Callable

from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.base.account import Account, Finding, Quota
from notifications.providers.base.backend import Provider
from notifications.providers.base.sending import Accepted, OutgoingBatch, OutgoingEmail, ProviderError
from notifications.rules.retry import ErrorClass
from notifications.rules.suppression import Reason

Answer = ErrorClass | ProviderError | Callable[[OutgoingEmail], None] | None


class ScriptedProvider(Provider):
    """Accepts every message, unless the next entry of `script` is an error or something to do during the call.

    Takes batches if `largest` is above 1. An entry of `script` is for one call.
    """

    name = "scripted"

    def __init__(self) -> None:
        self.script: deque[Answer] = deque()
        self.taken: list[OutgoingEmail] = []
        self.largest = 1
        # The number of recipients of each batch.
        self.batches: list[int] = []

    @property
    def largest_batch(self) -> int:
        return self.largest

    def connect(self) -> BaseEmailBackend:
        raise AssertionError("a fake has no connection")

    def translate(self, error: Exception) -> ProviderError:
        raise AssertionError("a fake raises our own errors")

    def missing_settings(self) -> list[str]:
        return []

    def send(self, mail: OutgoingEmail) -> Accepted:
        line = self.script.popleft() if self.script else None
        if isinstance(line, ErrorClass):
            raise ProviderError(line, "scripted", "as scripted")
        if isinstance(line, ProviderError):
            raise line
        if line is not None:
            line(mail)
        self.taken.append(mail)
        return Accepted(f"scripted-{len(self.taken)}")

    def send_batch(self, batch: OutgoingBatch) -> list[Accepted | ProviderError]:
        self.batches.append(len(batch.recipients))
        line = self.script.popleft() if self.script else None
        if isinstance(line, ErrorClass):
            raise ProviderError(line, "scripted", "as scripted")
        if isinstance(line, ProviderError):
            raise line
        emails = [batch.email_to(recipient) for recipient in batch.recipients]
        answers = [self.answer_to(email) for email in emails]
        if line is not None:
            line(emails[0])
        self.taken += [email for email, answer in zip(emails, answers, strict=True) if isinstance(answer, Accepted)]
        return answers

    def answer_to(self, email: OutgoingEmail) -> Accepted | ProviderError:
        """Return the answer to one entry; a test may replace this. Raise what is about the whole call."""
        return Accepted(f"scripted-{email.message_id}")


class SecondProvider(ScriptedProvider):
    name = "second"


class ScriptedAccount(Account):
    """Returns or raises what it is made with: its quota, and whether an address was on its list."""

    provider = "scripted"

    def __init__(
        self, *, quota: Quota | ProviderError | None = None, unsuppressed: bool | ProviderError = True
    ) -> None:
        self._quota = quota
        self._unsuppressed = unsuppressed
        self.asked: list[tuple[str, Reason | None]] = []

    def quota(self) -> Quota | None:
        if isinstance(self._quota, ProviderError):
            raise self._quota
        return self._quota

    def unsuppress(self, address: str, reason: Reason | None = None) -> bool:
        self.asked.append((address, reason))
        if isinstance(self._unsuppressed, ProviderError):
            raise self._unsuppressed
        return self._unsuppressed

    def inspect(self) -> list[Finding]:
        return []
