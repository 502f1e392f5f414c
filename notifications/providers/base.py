"""What a provider is to the rest of Mailroom: it takes one mail, or says in our words why not."""

from abc import ABC, abstractmethod
from typing import ClassVar

from anymail.exceptions import (
    AnymailConfigurationError,
    AnymailImproperlyInstalled,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from django.core.mail import BadHeaderError, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from notifications.addresses import BadAddressError
from notifications.providers import connections
from notifications.providers.compose import compose
from notifications.providers.mail import Accepted, ErrorClass, OutgoingMail, ProviderError

# Raised before anything went over the wire, because of the message itself.
_BAD_MESSAGE = (
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
    BadAddressError,
    BadHeaderError,
)
# Raised before anything went over the wire, because of the set-up (a key that is no Latin-1 cannot be a header).
_BAD_SETUP = (AnymailConfigurationError, AnymailImproperlyInstalled, UnicodeEncodeError)


class Provider(ABC):
    """A provider is one file: how to connect, what it must be told, what its errors mean."""

    name: ClassVar[str]

    @abstractmethod
    def connect(self) -> BaseEmailBackend:
        """Return a new backend of this provider, not yet opened."""

    @abstractmethod
    def translate(self, error: Exception) -> ProviderError:
        """Return what an exception of this provider's library means. Never raises."""

    @abstractmethod
    def missing_settings(self) -> list[str]:
        """Return the names of the settings without which this provider cannot work."""

    def prepare(self, message: EmailMultiAlternatives, mail: OutgoingMail) -> None:  # noqa: B027 - most need nothing
        """Add what only this provider understands."""

    def receipt(self, message: EmailMultiAlternatives) -> Accepted:
        """Return the provider's own id of a message it has just taken."""
        status = getattr(message, "anymail_status", None)
        return Accepted(str(getattr(status, "message_id", None) or ""))

    def send(self, mail: OutgoingMail) -> Accepted:
        """Hand one mail to the provider over this thread's warm connection.

        Raises ProviderError and nothing else. An exception that no table knows is ambiguous: the mail may be out.
        """
        try:
            message = compose(mail)
            self.prepare(message, mail)
            taken = connections.warm(self.name, self.connect).send_messages([message])
        except Exception as error:  # noqa: BLE001 - the edge: whatever a library raises is put into our words here
            failure = before_the_wire(error) or self.translate(error)
        else:
            if taken:
                return self.receipt(message)
            failure = ProviderError(ErrorClass.PERMANENT, "not-sent", "the library refused to send it")
        # Raised outside the handler: the foreign exception must not travel along as the context of ours.
        raise failure


def before_the_wire(error: Exception) -> ProviderError | None:
    """Return what an exception means that was raised before any I/O, whoever the provider is."""
    if isinstance(error, _BAD_MESSAGE):
        return ProviderError(ErrorClass.PERMANENT, type(error).__name__, "the message cannot be put into a request")
    if isinstance(error, _BAD_SETUP):
        return ProviderError(ErrorClass.MISCONFIGURED, type(error).__name__, "the provider is not set up")
    return None


def unknown(error: BaseException) -> ProviderError:
    """The meaning of an exception that no table knows."""
    return ProviderError(ErrorClass.AMBIGUOUS, type(error).__name__, "the error says nothing of the mail's fate")
