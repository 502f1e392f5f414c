"""Postmark, through Anymail."""

import requests
from anymail.backends.postmark import EmailBackend
from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.base import Provider
from notifications.providers.http import WithoutRedirects, from_transport, retry_after_s, timeouts
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


class PostmarkBackend(WithoutRedirects, EmailBackend):  # type: ignore[misc]
    pass


class Postmark(Provider):
    name = "postmark"

    def connect(self) -> BaseEmailBackend:
        made: BaseEmailBackend = PostmarkBackend(
            server_token=settings.POSTMARK_SERVER_TOKEN, api_url=settings.POSTMARK_API_URL, timeout=timeouts()
        )
        return made

    def missing_settings(self) -> list[str]:
        return [] if settings.POSTMARK_SERVER_TOKEN else ["POSTMARK_SERVER_TOKEN"]

    def translate(self, error: Exception) -> ProviderError:
        response = getattr(error, "response", None)
        # `if response` would be wrong: requests calls every answer from 400 on false.
        if isinstance(response, requests.Response):
            return from_response(response)
        return from_transport(error)


def from_response(response: requests.Response) -> ProviderError:
    """Return what an answer other than an acceptance means."""
    if response.is_redirect:
        text = "the API address answers with a redirect"
        return ProviderError(ErrorClass.MISCONFIGURED, f"http-{response.status_code}", text)
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
