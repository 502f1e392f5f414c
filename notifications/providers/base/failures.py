"""What an exception of a provider's library proves: was the email sent?"""

from enum import Enum, auto

from anymail.exceptions import (
    AnymailConfigurationError,
    AnymailImproperlyInstalled,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)

from notifications.providers.base.checked import BadEmailError, BadHeaderError
from notifications.providers.base.compose import BadSenderError
from notifications.providers.base.sending import ProviderError
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


def before_the_wire(error: Exception) -> ProviderError | None:
    # These are raised before any I/O, so they mean the same for every provider.
    if isinstance(error, _BAD_MESSAGE):
        # Only the text of ours is known to hold nothing of the email.
        return unusable(type(error).__name__, str(error) if isinstance(error, BadEmailError) else "")
    if isinstance(error, _BAD_SETUP):
        return ProviderError(ErrorClass.MISCONFIGURED, type(error).__name__, "the provider is not set up")
    return None


def before_the_request(error: Exception, stage: Stage, *, has_begun: bool) -> ProviderError | None:
    # Once the request has begun, the type of an exception proves nothing.
    if isinstance(error, UnicodeEncodeError) and stage is not Stage.OPENING:
        # Only HTTP headers are Latin-1, and only the key among them comes from outside. Other text is the message's.
        if error.encoding == "latin-1":
            return before_the_wire(error)
        return None if has_begun else unusable(type(error).__name__)
    return None if has_begun else before_the_wire(error)


def unusable(code: str, why: str = "") -> ProviderError:
    text = "the message cannot be put into a request"
    failure = ProviderError(ErrorClass.PERMANENT, code, f"{text}: {why}" if why else text)
    failure.never_left = True
    return failure


def not_sent() -> ProviderError:
    return ProviderError(ErrorClass.PERMANENT, "not-sent", "the library refused to send it")


def with_evidence(
    failure: ProviderError, error: Exception, stage: Stage, *, carried_nothing: bool, has_begun: bool = True
) -> ProviderError:
    # A failure is ambiguous unless there is proof that nothing was sent.
    if stage is Stage.SENDING and not has_begun and not isinstance(error, OSError):
        # The library cannot handle the message's text; the provider is not at fault.
        return unusable(failure.code)
    if stage is Stage.COMPOSING:
        return unusable(failure.code)
    if stage is Stage.OPENING and not isinstance(error, OSError):
        return ProviderError(ErrorClass.MISCONFIGURED, failure.code, "the provider cannot be set up")
    if stage is Stage.OPENING or carried_nothing:
        return ProviderError(ErrorClass.TRANSIENT, failure.code, "it failed before any part of the email was sent")
    return failure


def unknown(error: BaseException) -> ProviderError:
    return ProviderError(
        ErrorClass.AMBIGUOUS, type(error).__name__, "no usable answer; the provider may have accepted the email"
    )
