"""The contract of a provider: it accepts one email, or raises ProviderError."""

from abc import ABC, abstractmethod
from enum import Enum, auto
from typing import ClassVar

from anymail.backends.base import AnymailBaseBackend
from anymail.exceptions import (
    AnymailConfigurationError,
    AnymailImproperlyInstalled,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from anymail.signals import post_send
from django.core.mail import BadHeaderError, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from notifications.conf import settings
from notifications.providers.base import connections, deadline
from notifications.providers.base.answers import sentence
from notifications.providers.base.answers.api import AnswerRow
from notifications.providers.base.compose import BadEmailError, BadSenderError, compose
from notifications.providers.base.sending import Accepted, OutgoingEmail, ProviderError
from notifications.rules.addresses import BadAddressError
from notifications.rules.retry import ErrorClass

# Raised before anything went over the wire, because of the message itself.
_BAD_MESSAGE = (
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
    BadAddressError,
    BadHeaderError,
    BadEmailError,
)
# Raised before anything went over the wire, because of the set-up. The mail's own text has been looked at before, so
# what cannot be encoded is the key.
_BAD_SETUP = (AnymailConfigurationError, AnymailImproperlyInstalled, BadSenderError, UnicodeEncodeError)


class Stage(Enum):
    COMPOSING = auto()
    OPENING = auto()
    SENDING = auto()


class HeedlessPostSend(AnymailBaseBackend):  # type: ignore[misc]
    """Mix in before Anymail's backend. No receiver can undo an acceptance."""

    def run_post_send(self, message: EmailMultiAlternatives) -> None:
        # Anymail would raise what a receiver raised. Django has logged it.
        post_send.send_robust(
            type(self), message=message, status=getattr(message, "anymail_status", None), esp_name=self.esp_name
        )


class Provider(ABC):
    """How one provider sends: its connection, its extra headers, the meaning of its errors."""

    name: ClassVar[str]
    # As people know it.
    title: ClassVar[str]
    # Messages per second that a new account bears; EMAIL_RATE overrides it. None: no limit of its own.
    usual_rate: ClassVar[float | None] = None
    # What its answers mean, the first row that fits; none where it has no HTTP API.
    answers: ClassVar[tuple[AnswerRow, ...]] = ()
    # Where the documented error shape shows.
    error_shape: ClassVar[str] = ""
    # False if email reaches nobody: fit for a developer's machine only.
    delivers: ClassVar[bool] = True
    # Codes of refusals that a new connection may cure at once, because it fetches credentials anew.
    cured_by_reopening: ClassVar[frozenset[str]] = frozenset()
    # True if the connection says when a request leaves (deadline.begin_request). Otherwise it may have left all along.
    marks_requests: ClassVar[bool] = False

    @abstractmethod
    def connect(self) -> BaseEmailBackend:
        """Return a new backend of this provider, not yet opened."""

    @abstractmethod
    def translate(self, error: Exception) -> ProviderError:
        """Return what an exception of this provider's library means."""

    @abstractmethod
    def missing_settings(self) -> list[str]:
        """Return the names of the settings without which this provider cannot work."""

    def prepare(self, message: EmailMultiAlternatives, mail: OutgoingEmail) -> None:  # noqa: B027 - most need nothing
        """Add what only this provider understands."""

    def secrets(self) -> list[str]:
        """Return what an answer may repeat and nothing may keep."""
        return []

    def receipt(self, message: EmailMultiAlternatives) -> Accepted:
        """Return the provider's own id of a message that it has just accepted."""
        recipients = getattr(getattr(message, "anymail_status", None), "recipients", None) or {}
        # Anymail's own summary is a set where it has written an address in two ways.
        ids = [str(one.message_id) for one in recipients.values() if one.message_id]
        return Accepted(ids[0] if ids else "")

    def send(self, mail: OutgoingEmail) -> Accepted:
        """Send one email over this thread's warm connection, within PROVIDER_DEADLINE_S.

        Raises ProviderError and nothing else. An unknown exception is ambiguous: the provider may have accepted the
        email.
        """
        with deadline.within(settings.PROVIDER_DEADLINE_S) as call:
            answer = self._attempt(mail, call)
            if isinstance(answer, ProviderError) and answer.code in self.cured_by_reopening:
                connections.drop(self.name)
                # What it went over carried a refusal, not the email.
                call.sockets.clear()
                answer = self._attempt(mail, call)
        # Also an answer that just made it may have left a connection behind that was shut down since.
        if call.is_over or wants_new_connection(answer):
            connections.drop(self.name)
        if isinstance(answer, ProviderError):
            # Raised outside of any handler: the foreign exception must not travel along as the context of ours.
            raise answer
        return answer

    def _attempt(self, mail: OutgoingEmail, call: deadline.Call) -> Accepted | ProviderError:
        stage = Stage.COMPOSING
        call.has_begun = False
        try:
            message = compose(mail)
            self.prepare(message, mail)
            stage = Stage.OPENING
            backend = connections.warm(self.name, self.connect)
            stage = Stage.SENDING
            taken = backend.send_messages([message])
        except Exception as error:  # noqa: BLE001 - the edge: whatever a library raises is put into our words here
            failure = self._meaning(error, stage, call)
            return failure.saying(sentence(failure.detail, [*self.secrets(), *_private(mail)]))
        if not taken:
            return ProviderError(ErrorClass.PERMANENT, "not-sent", "the library refused to send it")
        return self.receipt(message)

    def _meaning(self, error: Exception, stage: Stage, call: deadline.Call) -> ProviderError:
        has_begun = stage is Stage.SENDING and (call.has_begun or not self.marks_requests)
        try:
            failure = _before_the_request(error, stage, has_begun=has_begun) or self.translate(error)
        except Exception as broken:  # noqa: BLE001 - an answer can be so odd that reading it fails
            failure = unknown(broken)
        if failure.error_class is ErrorClass.AMBIGUOUS:
            nothing = call.carried_nothing()
            failure = with_evidence(failure, error, stage, carried_nothing=nothing, has_begun=has_begun)
        if call.is_over and failure.error_class in {ErrorClass.AMBIGUOUS, ErrorClass.TRANSIENT}:
            return ProviderError(failure.error_class, "deadline", "the call took longer than it may")
        return failure


def wants_new_connection(answer: Accepted | ProviderError) -> bool:
    # This one may be out of step with its server, or hold expired credentials.
    return isinstance(answer, ProviderError) and answer.error_class in {
        ErrorClass.AMBIGUOUS,
        ErrorClass.MISCONFIGURED,
    }


def before_the_wire(error: Exception) -> ProviderError | None:
    # Raised before any I/O, so it means the same for every provider.
    if isinstance(error, _BAD_MESSAGE):
        return _unusable(type(error).__name__)
    if isinstance(error, _BAD_SETUP):
        return ProviderError(ErrorClass.MISCONFIGURED, type(error).__name__, "the provider is not set up")
    return None


def _before_the_request(error: Exception, stage: Stage, *, has_begun: bool) -> ProviderError | None:
    # The type of an exception says nothing once the request has begun.
    if isinstance(error, UnicodeEncodeError) and stage is not Stage.OPENING:
        # Only HTTP's headers are Latin-1, and of those only the key is not ours. All else is the message's own text.
        if error.encoding == "latin-1":
            return before_the_wire(error)
        return None if has_begun else _unusable(type(error).__name__)
    return None if has_begun else before_the_wire(error)


def _unusable(code: str) -> ProviderError:
    failure = ProviderError(ErrorClass.PERMANENT, code, "the message cannot be put into a request")
    failure.never_left = True
    return failure


def _private(mail: OutgoingEmail) -> list[str]:
    # A server may repeat these parts of the email in its answer.
    return [mail.to_address, mail.to_address.partition("@")[0], mail.to_name, *mail.to_name.split(), mail.subject]


def with_evidence(
    failure: ProviderError, error: Exception, stage: Stage, *, carried_nothing: bool, has_begun: bool = True
) -> ProviderError:
    # Only proof makes an ambiguous failure less than that.
    if stage is Stage.SENDING and not has_begun and not isinstance(error, OSError):
        # What a library raises for a message's own text is this message's fault, never the provider's.
        return _unusable(failure.code)
    if stage is Stage.COMPOSING:
        return _unusable(failure.code)
    if stage is Stage.OPENING and not isinstance(error, OSError):
        return ProviderError(ErrorClass.MISCONFIGURED, failure.code, "the provider cannot be set up")
    if stage is Stage.OPENING or carried_nothing:
        return ProviderError(ErrorClass.TRANSIENT, failure.code, "it failed before anything of the mail was sent")
    return failure


def unknown(error: BaseException) -> ProviderError:
    return ProviderError(ErrorClass.AMBIGUOUS, type(error).__name__, "the error says nothing of the mail's fate")
