"""Postmark, through Anymail."""

from typing import Any

import requests
from anymail.backends.postmark import EmailBackend
from anymail.exceptions import AnymailRequestsAPIError
from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.http import HttpBackend, HttpProvider, retry_after_s, timeouts
from notifications.providers.mail import ErrorClass, ProviderError

# https://postmarkapp.com/developer/api/overview#response-codes
STATUS = {
    401: ErrorClass.MISCONFIGURED,
    404: ErrorClass.MISCONFIGURED,
    413: ErrorClass.PERMANENT,
    429: ErrorClass.RATE_LIMITED,
    500: ErrorClass.TRANSIENT,
    503: ErrorClass.TRANSIENT,
}
# In answers with status 422, which all mean that the mail was not taken:
# https://postmarkapp.com/developer/api/overview#error-codes
CODES = {
    10: ErrorClass.MISCONFIGURED,
    100: ErrorClass.TRANSIENT,
    400: ErrorClass.MISCONFIGURED,
    401: ErrorClass.MISCONFIGURED,
    405: ErrorClass.MISCONFIGURED,
    412: ErrorClass.MISCONFIGURED,
    413: ErrorClass.MISCONFIGURED,
}


class PostmarkBackend(HttpBackend, EmailBackend):  # type: ignore[misc]
    def raise_for_status(self, response: requests.Response, payload: Any, message: Any) -> None:
        """Take 422 for the refusal it is: Anymail counts it as sent where it cannot find our address in the text."""
        if response.status_code == requests.codes.unprocessable:
            raise AnymailRequestsAPIError(email_message=message, payload=payload, response=response, backend=self)
        super().raise_for_status(response, payload, message)


class Postmark(HttpProvider):
    name = "postmark"

    def connect(self) -> BaseEmailBackend:
        made: BaseEmailBackend = PostmarkBackend(
            server_token=settings.POSTMARK_SERVER_TOKEN, api_url=settings.POSTMARK_API_URL, timeout=timeouts()
        )
        return made

    def missing_settings(self) -> list[str]:
        return [] if settings.POSTMARK_SERVER_TOKEN else ["POSTMARK_SERVER_TOKEN"]

    def refused(self, response: requests.Response) -> ProviderError:
        if response.status_code == requests.codes.unprocessable:
            number = error_code(response)
            error_class = ErrorClass.AMBIGUOUS if number is None else CODES.get(number, ErrorClass.PERMANENT)
            return ProviderError(error_class, f"postmark-{number}")
        error_class = STATUS.get(response.status_code, ErrorClass.AMBIGUOUS)
        wish = retry_after_s(response.headers.get("Retry-After"))
        return ProviderError(error_class, f"http-{response.status_code}", retry_after_s=wish)


def error_code(response: requests.Response) -> int | None:
    """Return Postmark's own number of an error, or None where the answer does not hold one."""
    try:
        return int(response.json()["ErrorCode"])
    except (ValueError, KeyError, TypeError):
        return None
