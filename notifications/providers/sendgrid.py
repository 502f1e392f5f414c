"""SendGrid, API v3, through Anymail.

Anymail calls this adapter unsupported since June 2025 (it cannot test against an account any more) and warns at every
construction; exactly that warning is silenced here, the documentation says it once.
"""

import warnings

import requests
from anymail.backends.sendgrid import EmailBackend
from anymail.exceptions import AnymailNotSupportedWarning
from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.http import HttpProvider, WithoutRedirects, retry_after_s, timeouts
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


class SendGridBackend(WithoutRedirects, EmailBackend):  # type: ignore[misc]
    pass


class SendGrid(HttpProvider):
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
                timeout=timeouts(),
            )
        return made

    def refused(self, response: requests.Response) -> ProviderError:
        code = f"http-{response.status_code}"
        if response.status_code == requests.codes.unauthorized and "Maximum credits exceeded" in response.text:
            return ProviderError(
                ErrorClass.RATE_LIMITED, "credits-exhausted", "plan used up", retry_after_s=CREDITS_EXHAUSTED_RETRY_S
            )
        error_class = STATUS.get(response.status_code, ErrorClass.AMBIGUOUS)
        return ProviderError(error_class, code, retry_after_s=retry_after_s(response.headers.get("Retry-After")))
