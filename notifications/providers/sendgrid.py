"""SendGrid, API v3, through Anymail.

Anymail calls this adapter unsupported since June 2025 (it cannot test against an account any more) and warns at every
construction; exactly that warning is silenced here, the documentation says it once.
"""

import threading
import warnings
from typing import Any

import requests
from anymail.backends.sendgrid import EmailBackend
from anymail.exceptions import AnymailNotSupportedWarning, AnymailRequestsAPIError
from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.http import HttpBackend, HttpProvider, retry_after_s, timeouts, until_reset_s
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


# catch_warnings() changes the whole process: two threads at once could leave a filter behind.
_warnings_lock = threading.Lock()


class SendGridBackend(HttpBackend, EmailBackend):  # type: ignore[misc]
    def raise_for_status(self, response: requests.Response, payload: Any, message: Any) -> None:
        """Take 202 for an acceptance and nothing else: Anymail would take any page that a proxy answers with 200."""
        if response.status_code != requests.codes.accepted:
            raise AnymailRequestsAPIError(email_message=message, payload=payload, response=response, backend=self)


class SendGrid(HttpProvider):
    name = "sendgrid"

    def connect(self) -> BaseEmailBackend:
        return self.backend(settings.SENDGRID_API_KEY, settings.SENDGRID_API_URL)

    def missing_settings(self) -> list[str]:
        return [] if settings.SENDGRID_API_KEY else ["SENDGRID_API_KEY"]

    def backend(self, api_key: str, api_url: str) -> BaseEmailBackend:
        with _warnings_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore", AnymailNotSupportedWarning)
            made: BaseEmailBackend = SendGridBackend(
                api_key=api_key,
                api_url=api_url,
                timeout=timeouts(),
            )
        return made

    def refused(self, response: requests.Response) -> ProviderError:
        status = response.status_code
        if status == requests.codes.unauthorized and "Maximum credits exceeded" in response.text:
            return ProviderError(
                ErrorClass.RATE_LIMITED, "credits-exhausted", "plan used up", retry_after_s=CREDITS_EXHAUSTED_RETRY_S
            )
        if status == requests.codes.forbidden and "verified Sender Identity" in response.text:
            return ProviderError(ErrorClass.MISCONFIGURED, "sender-identity", "the sender is not verified")
        wish = retry_after_s(response.headers.get("Retry-After"))
        if wish is None and status == requests.codes.too_many_requests:
            wish = until_reset_s(response.headers.get("X-RateLimit-Reset"), response.headers.get("Date"))
        return ProviderError(STATUS.get(status, ErrorClass.AMBIGUOUS), f"http-{status}", retry_after_s=wish)
