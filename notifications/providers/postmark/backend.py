"""Postmark, through Anymail."""

from typing import Any

import requests
from anymail.backends.postmark import EmailBackend
from anymail.exceptions import AnymailRequestsAPIError
from anymail.message import AnymailRecipientStatus
from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.base.answers import RawAnswer
from notifications.providers.base.http import HttpBackend, HttpProvider, document, timeouts
from notifications.providers.postmark.answers import ROWS
from notifications.providers.postmark.settings import settings


class PostmarkBackend(HttpBackend, EmailBackend):  # type: ignore[misc]
    def raise_for_status(self, response: requests.Response, payload: Any, message: Any) -> None:
        # Anymail treats a 422 as sent if the text does not contain our address.
        if response.status_code == requests.codes.unprocessable:
            raise AnymailRequestsAPIError(email_message=message, payload=payload, response=response, backend=self)
        super().raise_for_status(response, payload, message)

    def parse_recipient_status(
        self, response: requests.Response, payload: Any, message: Any
    ) -> dict[str, AnymailRecipientStatus]:
        # Anymail would parse the repeated `To`, and fail on a name with a comma.
        answer = document(response)
        given, text = answer.get("MessageID"), str(answer.get("Message"))
        # Postmark leaves the number out when it is slow.
        accepted = error_code({"ErrorCode": 0, **answer}) == 0 and isinstance(given, str) and bool(given)
        if not accepted or "will not deliver" in text:
            raise AnymailRequestsAPIError(email_message=message, payload=payload, response=response, backend=self)
        status = AnymailRecipientStatus(message_id=given, status="sent")
        return {recipient.addr_spec: status for recipient in payload.to_emails}


class Postmark(HttpProvider):
    name = "postmark"
    title = "Postmark"
    usual_rate = 10
    answers = ROWS
    error_shape = "`ErrorCode`"

    def connect(self) -> BaseEmailBackend:
        made: BaseEmailBackend = PostmarkBackend(
            server_token=settings.POSTMARK_SERVER_TOKEN, api_url=settings.POSTMARK_API_URL, timeout=timeouts()
        )
        return made

    def missing_settings(self) -> list[str]:
        return [] if settings.POSTMARK_SERVER_TOKEN else ["POSTMARK_SERVER_TOKEN"]

    def secrets(self) -> list[str]:
        return [settings.POSTMARK_SERVER_TOKEN]

    def parse_answer(self, response: requests.Response) -> RawAnswer:
        answer = document(response)
        number, text = error_code(answer), answer.get("Message")
        return RawAnswer(
            status=response.status_code,
            code=str(number) if number else "",
            text=text if isinstance(text, str) else "",
        )

    def code(self, answer: RawAnswer) -> str:
        if answer.status in {requests.codes.unprocessable, requests.codes.ok}:
            return f"postmark-{answer.code or None}"
        return super().code(answer)


def error_code(answer: dict[str, Any]) -> int | None:
    """Return Postmark's error number, 0 for no error; None for an answer of another server."""
    number = answer.get("ErrorCode")
    return number if isinstance(number, int) and not isinstance(number, bool) else None
