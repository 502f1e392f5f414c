"""A provider for tests: it keeps emails in memory, and fails as asked."""

from collections import deque
from collections.abc import Sequence
from enum import StrEnum

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.base.backend import Provider
from notifications.providers.base.failures import unknown
from notifications.providers.base.sending import About, Accepted, ProviderError
from notifications.rules.outcomes import BounceKind
from notifications.rules.retry import ErrorClass

#: A process that delivers for long keeps the newest only.
MOST_KEPT = 10_000


class Failure(StrEnum):
    """How the provider fails: what a test passes to `fail_next`."""

    TRANSIENT = "transient"  # the email is retried
    RATE_LIMITED = "rate-limited"  # the provider asks us to slow down
    PERMANENT = "permanent"  # the provider refuses this email: a dead letter
    BAD_ADDRESS = "bad address"  # the mailbox does not exist: a dead letter, and the address is suppressed
    MISCONFIGURED = "misconfigured"  # the provider refuses us: every email waits
    LOST_ANSWER = "lost answer"  # the provider accepts the email, but its answer is lost: uncertain


def _error(failure: Failure) -> ProviderError:
    match failure:
        case Failure.LOST_ANSWER:
            return ProviderError(ErrorClass.AMBIGUOUS, "lost-answer", "as the test asked")
        case Failure.BAD_ADDRESS:
            return ProviderError(
                ErrorClass.PERMANENT,
                "bad-address",
                "as the test asked",
                about=About.RECIPIENT,
                bounce=BounceKind.HARD,
            )
    return ProviderError(ErrorClass(failure.value), failure.value, "as the test asked")


class ScriptedFailure(Exception):  # noqa: N818 - it stands for the exceptions of a provider's library
    """The failure that a test asked for."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


class Recorder:
    """What the provider of this process has accepted, and how its next calls fail."""

    def __init__(self) -> None:
        self.accepted: deque[EmailMessage] = deque(maxlen=MOST_KEPT)
        self._failures: deque[Failure] = deque()

    def fail_next(self, failure: Failure | str, *, times: int = 1) -> None:
        """Let the next call fail, or the next `times` calls. Raises ValueError for an unknown failure."""
        self._failures.extend([Failure(failure)] * times)

    def take(self, message: EmailMessage) -> None:
        failure = self._failures.popleft() if self._failures else None
        if failure is None or failure is Failure.LOST_ANSWER:
            self.accepted.append(message)
        if failure is not None:
            raise ScriptedFailure(failure)

    def reset(self) -> None:
        self.accepted.clear()
        self._failures.clear()


#: Of this process. Each delivery creates a new instance of its provider.
recorder = Recorder()


class RecordingBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            recorder.take(message)
        return len(email_messages)


class Recording(Provider):
    name = "recording"
    title = "the recording provider"
    delivers = False

    def connect(self) -> BaseEmailBackend:
        return RecordingBackend()

    def translate(self, error: Exception) -> ProviderError:
        return _error(error.failure) if isinstance(error, ScriptedFailure) else unknown(error)

    def missing_settings(self) -> list[str]:
        return []

    def receipt(self, message: EmailMultiAlternatives) -> Accepted:
        return Accepted(f"recorded-{message.extra_headers.get('Message-ID', '')}")
