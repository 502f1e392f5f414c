"""SendGrid, API v3, through Anymail.

Anymail calls this adapter unsupported since June 2025 (it has no test account any more) and warns at each
construction. Only that warning is silenced here, because the documentation has it.
"""

import threading
import warnings
from typing import Any

import requests
from anymail.backends.sendgrid import EmailBackend
from anymail.exceptions import AnymailNotSupportedWarning, AnymailRequestsAPIError
from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.base.answers import RawAnswer
from notifications.providers.base.http import HttpBackend, HttpProvider, document, timeouts, until_reset_s
from notifications.providers.sendgrid.answers import ROWS
from notifications.providers.sendgrid.settings import settings

# The most characters to search in an answer that is not SendGrid's.
LONGEST_PAGE = 2000

# catch_warnings() changes the whole process: two threads could leave a filter behind.
_warnings_lock = threading.Lock()


class SendGridBackend(HttpBackend, EmailBackend):  # type: ignore[misc]
    def raise_for_status(self, response: requests.Response, payload: Any, message: Any) -> None:
        # Anymail would accept any page of a proxy with status 200.
        if response.status_code != requests.codes.accepted:
            raise AnymailRequestsAPIError(email_message=message, payload=payload, response=response, backend=self)


class SendGrid(HttpProvider):
    name = "sendgrid"
    title = "SendGrid"
    usual_rate = 50
    answers = ROWS
    error_shape = "`errors`"

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

    def secrets(self) -> list[str]:
        return [settings.SENDGRID_API_KEY]

    def parse_answer(self, response: requests.Response) -> RawAnswer:
        errors = document(response).get("errors")
        listed = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
        found = [one for one in listed if isinstance(one.get("message"), str)]
        status = response.status_code
        if not found:
            return RawAnswer(status=status, text=response.text[:LONGEST_PAGE])
        text, field = "; ".join(one["message"] for one in found), found[0].get("field")
        return RawAnswer(status=status, code=str(status), text=text, field=field if isinstance(field, str) else "")

    def requested_wait_s(self, response: requests.Response) -> float | None:
        wait_s = super().requested_wait_s(response)
        if wait_s is None and response.status_code == requests.codes.too_many_requests:
            return until_reset_s(response.headers.get("X-RateLimit-Reset"), response.headers.get("Date"))
        return wait_s
