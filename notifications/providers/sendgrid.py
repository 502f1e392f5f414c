"""SendGrid, API v3, through Anymail.

Anymail calls this adapter unsupported since June 2025 (it cannot test against an account any more) and warns at every
construction; exactly that warning is silenced here, the documentation says it once.
"""

import warnings
from typing import Any

import requests
from anymail.backends.sendgrid import EmailBackend
from anymail.exceptions import AnymailNotSupportedWarning
from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from urllib3.exceptions import MaxRetryError, NewConnectionError

from notifications.providers.base import Provider, unknown
from notifications.providers.mail import ErrorClass, ProviderError

CREDITS_EXHAUSTED_RETRY_S = 3600.0

# https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/responses
STATUS = {
    400: ErrorClass.PERMANENT,
    401: ErrorClass.MISCONFIGURED,
    403: ErrorClass.MISCONFIGURED,
    404: ErrorClass.MISCONFIGURED,
    405: ErrorClass.MISCONFIGURED,
    413: ErrorClass.PERMANENT,
    429: ErrorClass.RATE_LIMITED,
    500: ErrorClass.TRANSIENT,
    # A gateway gave up waiting: what stands behind it may have taken the mail.
    502: ErrorClass.AMBIGUOUS,
    503: ErrorClass.TRANSIENT,
    504: ErrorClass.AMBIGUOUS,
}


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Follow nothing: a redirect answered with 200 by some other page would count as an accepted mail."""


class SendGridBackend(EmailBackend):  # type: ignore[misc]
    def create_session(self) -> requests.Session:
        made = super().create_session()
        session = _Session()
        session.headers.update(made.headers)
        return session


class SendGrid(Provider):
    name = "sendgrid"

    def connect(self) -> BaseEmailBackend:
        return self.backend(settings.SENDGRID_API_KEY, settings.SENDGRID_API_URL)

    def missing_settings(self) -> list[str]:
        return [] if settings.SENDGRID_API_KEY else ["SENDGRID_API_KEY"]

    def backend(self, api_key: str, api_url: str) -> BaseEmailBackend:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AnymailNotSupportedWarning)
            made: BaseEmailBackend = SendGridBackend(
                api_key=api_key,
                api_url=api_url,
                timeout=(settings.PROVIDER_CONNECT_TIMEOUT_S, settings.PROVIDER_READ_TIMEOUT_S),
            )
        return made

    def translate(self, error: Exception) -> ProviderError:
        response = getattr(error, "response", None)
        # `if response` would be wrong: requests calls every answer from 400 on false.
        if isinstance(response, requests.Response):
            return from_response(response)
        return from_transport(error)


def from_response(response: requests.Response) -> ProviderError:
    """Return what an answer other than 2xx means."""
    code = f"http-{response.status_code}"
    if response.status_code == requests.codes.unauthorized and "Maximum credits exceeded" in response.text:
        return ProviderError(
            ErrorClass.RATE_LIMITED, "credits-exhausted", "plan used up", retry_after_s=CREDITS_EXHAUSTED_RETRY_S
        )
    if response.is_redirect:
        return ProviderError(ErrorClass.MISCONFIGURED, code, "the API address answers with a redirect")
    error_class = STATUS.get(response.status_code, ErrorClass.AMBIGUOUS)
    return ProviderError(error_class, code, retry_after_s=retry_after_s(response.headers.get("Retry-After")))


def retry_after_s(header: Any) -> float | None:
    """Return the seconds a provider asks for, between 1 and 900, or None where it gave no number."""
    try:
        return min(max(float(header), 1.0), 900.0)
    except (TypeError, ValueError):
        return None


def from_transport(error: Exception) -> ProviderError:
    """Return what an error of the connection means: it matters whether the request can have left this machine."""
    code = type(error.__cause__ or error).__name__
    if isinstance(error, requests.exceptions.SSLError):
        if "CERTIFICATE_VERIFY_FAILED" in str(error.__cause__):
            return ProviderError(ErrorClass.MISCONFIGURED, "certificate", "the provider's certificate is not trusted")
        return ProviderError(ErrorClass.AMBIGUOUS, code, "the TLS connection broke")
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError) or never_connected(error):
        return ProviderError(ErrorClass.TRANSIENT, code, "no connection to the provider")
    if isinstance(error, requests.exceptions.InvalidHeader | requests.exceptions.InvalidURL):
        return ProviderError(ErrorClass.MISCONFIGURED, code, "the API key or address cannot be used")
    return unknown(error.__cause__ or error)


def never_connected(error: Exception) -> bool:
    """True if the connection was refused or the name not found (urllib3 wraps both alike)."""
    cause = error.__cause__
    inner = cause.args[0] if cause is not None and cause.args else None
    return isinstance(inner, MaxRetryError) and isinstance(inner.reason, NewConnectionError)
