"""The contract of a provider: send one email, or raise ProviderError."""

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
from notifications.providers.base.sending import Accepted, OutgoingBatch, OutgoingEmail, ProviderError
from notifications.rules.addresses import BadAddressError
from notifications.rules.retry import ErrorClass

# Raised before anything is sent, because of the message.
_BAD_MESSAGE = (
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
    BadAddressError,
    BadHeaderError,
    BadEmailError,
)
# Raised before anything is sent, because of the set-up. The email's text has been checked before, so what cannot be
# encoded is the key.
_BAD_SETUP = (AnymailConfigurationError, AnymailImproperlyInstalled, BadSenderError, UnicodeEncodeError)


class Stage(Enum):
    COMPOSING = auto()
    OPENING = auto()
    SENDING = auto()


class RobustPostSend(AnymailBaseBackend):  # type: ignore[misc]
    """Mix in before Anymail's backend: no failing receiver hides an acceptance."""

    def run_post_send(self, message: EmailMultiAlternatives) -> None:
        # Anymail would raise a receiver's exception. Django logs it.
        post_send.send_robust(
            type(self), message=message, status=getattr(message, "anymail_status", None), esp_name=self.esp_name
        )


class Provider(ABC):
    """One provider: its connection, its extra headers, the meaning of its errors."""

    name: ClassVar[str]
    # The name in text.
    title: ClassVar[str]
    # Messages per second that a new account may send; EMAIL_RATE overrides it. None: no limit.
    usual_rate: ClassVar[float | None] = None
    # The meanings of its answers; the first row that matches decides. Empty if it has no HTTP API.
    answers: ClassVar[tuple[AnswerRow, ...]] = ()
    # What distinguishes the documented error shape, for documentation.
    error_shape: ClassVar[str] = ""
    # False if no email reaches a recipient: for a developer's machine only.
    delivers: ClassVar[bool] = True
    # Codes of rejections that a new connection may fix, because it fetches credentials again.
    cured_by_reopening: ClassVar[frozenset[str]] = frozenset()
    # True if the connection marks the start of a request (deadline.begin_request). If not, any failure may follow it.
    marks_requests: ClassVar[bool] = False

    @abstractmethod
    def connect(self) -> BaseEmailBackend:
        """Return a new backend of this provider, unopened."""

    @abstractmethod
    def translate(self, error: Exception) -> ProviderError:
        """Return what an exception of this provider's library means."""

    @abstractmethod
    def missing_settings(self) -> list[str]:
        """Return the names of the missing settings that this provider needs."""

    def prepare(self, message: EmailMultiAlternatives, mail: OutgoingEmail) -> None:  # noqa: B027 - most need nothing
        """Add what is specific to this provider."""

    def secrets(self) -> list[str]:
        """Return the secrets to remove from answers before they are stored."""
        return []

    def receipt(self, message: EmailMultiAlternatives) -> Accepted:
        """Return the provider's id of a message that it has just accepted."""
        recipients = getattr(getattr(message, "anymail_status", None), "recipients", None) or {}
        # Anymail's summary is a set if it has written an address in two ways.
        ids = [str(one.message_id) for one in recipients.values() if one.message_id]
        return Accepted(ids[0] if ids else "")

    def send(self, mail: OutgoingEmail) -> Accepted:
        """Send one email over this thread's warm connection, within PROVIDER_DEADLINE_S.

        Raises only ProviderError. An unknown exception is ambiguous: the provider may have accepted the email.
        """
        with deadline.within(settings.PROVIDER_DEADLINE_S) as call:
            answer = self._attempt(mail, call)
            if isinstance(answer, ProviderError) and answer.code in self.cured_by_reopening:
                connections.drop(self.name)
                # These connections carried a rejection, not the email.
                call.sockets.clear()
                answer = self._attempt(mail, call)
        # The deadline may have shut the connection down just after the answer.
        if call.is_over or wants_new_connection(answer):
            connections.drop(self.name)
        if isinstance(answer, ProviderError):
            # Raised outside of any handler, so that the library's exception is not its context.
            raise answer
        return answer

    @property
    def largest_batch(self) -> int:
        """Return the most recipients of one batch; 1 if the provider has no batches."""
        return 1

    def send_batch(self, batch: OutgoingBatch) -> list[Accepted | ProviderError]:
        """Send one email to several recipients in one call. Return an answer for each, in their order.

        Only for a provider whose `largest_batch` is above 1, and with at most that many recipients. Raises
        ProviderError if the answer is about the whole call: then it holds for every recipient. If it is ambiguous, the
        provider may have accepted any of the emails.
        """
        raise NotImplementedError(f"{self.title} has no batches")

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
        except Exception as error:  # noqa: BLE001 - the edge: every exception of a library is translated here
            failure = self._meaning(error, stage, call)
            return failure.with_detail(sentence(failure.detail, [*self.secrets(), *_private(mail)]))
        if not taken:
            return ProviderError(ErrorClass.PERMANENT, "not-sent", "the library refused to send it")
        return self.receipt(message)

    def _meaning(self, error: Exception, stage: Stage, call: deadline.Call) -> ProviderError:
        has_begun = stage is Stage.SENDING and (call.has_begun or not self.marks_requests)
        try:
            failure = _before_the_request(error, stage, has_begun=has_begun) or self.translate(error)
        except Exception as broken:  # noqa: BLE001 - reading an unexpected answer can fail
            failure = unknown(broken)
        if failure.error_class is ErrorClass.AMBIGUOUS:
            nothing = call.carried_nothing()
            failure = with_evidence(failure, error, stage, carried_nothing=nothing, has_begun=has_begun)
        if call.is_over and failure.error_class in {ErrorClass.AMBIGUOUS, ErrorClass.TRANSIENT}:
            return ProviderError(failure.error_class, "deadline", "the call exceeded its deadline")
        return failure


def wants_new_connection(answer: Accepted | ProviderError) -> bool:
    # The connection may be out of sync with its server, or hold expired credentials.
    return isinstance(answer, ProviderError) and answer.error_class in {
        ErrorClass.AMBIGUOUS,
        ErrorClass.MISCONFIGURED,
    }


def before_the_wire(error: Exception) -> ProviderError | None:
    # These are raised before any I/O, so they mean the same for every provider.
    if isinstance(error, _BAD_MESSAGE):
        return _unusable(type(error).__name__)
    if isinstance(error, _BAD_SETUP):
        return ProviderError(ErrorClass.MISCONFIGURED, type(error).__name__, "the provider is not set up")
    return None


def _before_the_request(error: Exception, stage: Stage, *, has_begun: bool) -> ProviderError | None:
    # Once the request has begun, the type of an exception proves nothing.
    if isinstance(error, UnicodeEncodeError) and stage is not Stage.OPENING:
        # Only HTTP headers are Latin-1, and only the key among them comes from outside. Other text is the message's.
        if error.encoding == "latin-1":
            return before_the_wire(error)
        return None if has_begun else _unusable(type(error).__name__)
    return None if has_begun else before_the_wire(error)


def _unusable(code: str) -> ProviderError:
    failure = ProviderError(ErrorClass.PERMANENT, code, "the message cannot be put into a request")
    failure.never_left = True
    return failure


def _private(mail: OutgoingEmail) -> list[str]:
    # An answer may repeat these parts of the email.
    return [mail.to_address, mail.to_address.partition("@")[0], mail.to_name, *mail.to_name.split(), mail.subject]


def with_evidence(
    failure: ProviderError, error: Exception, stage: Stage, *, carried_nothing: bool, has_begun: bool = True
) -> ProviderError:
    # A failure is ambiguous unless there is proof that nothing was sent.
    if stage is Stage.SENDING and not has_begun and not isinstance(error, OSError):
        # The library cannot handle the message's text; the provider is not at fault.
        return _unusable(failure.code)
    if stage is Stage.COMPOSING:
        return _unusable(failure.code)
    if stage is Stage.OPENING and not isinstance(error, OSError):
        return ProviderError(ErrorClass.MISCONFIGURED, failure.code, "the provider cannot be set up")
    if stage is Stage.OPENING or carried_nothing:
        return ProviderError(ErrorClass.TRANSIENT, failure.code, "it failed before any part of the email was sent")
    return failure


def unknown(error: BaseException) -> ProviderError:
    return ProviderError(
        ErrorClass.AMBIGUOUS, type(error).__name__, "no usable answer; the provider may have accepted the email"
    )
