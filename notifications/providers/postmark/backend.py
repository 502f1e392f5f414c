"""Postmark, through Anymail."""

from collections.abc import Sequence
from typing import Any

import requests
from anymail.backends.postmark import EmailBackend, PostmarkPayload
from anymail.exceptions import AnymailRequestsAPIError
from anymail.message import AnymailRecipientStatus
from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.base.answers import RawAnswer
from notifications.providers.base.batch import (
    BatchBackend,
    BatchMessage,
    Entry,
    IncompleteAnswerError,
    TooLargeError,
    without_recipients,
)
from notifications.providers.base.compose import person_header
from notifications.providers.base.http import HttpBackend, HttpProvider, document, timeouts
from notifications.providers.base.sending import Accepted, ProviderError, with_fields
from notifications.providers.base.usual_addresses import with_usual_addresses
from notifications.providers.postmark.answers import ROWS
from notifications.providers.postmark.settings import settings

# https://postmarkapp.com/developer/api/email-api#send-batch-emails
MOST_MESSAGES = 500
# Postmark takes 50 MB, but a slow line must be able to send them before the deadline.
MOST_BYTES = 10_000_000


class _Tagged(PostmarkPayload):  # type: ignore[misc]
    def set_tags(self, tags: Sequence[str]) -> None:
        # Postmark takes one. The metadata lists all; Anymail has set them before.
        self.data["Tag"] = tags[0]
        if len(tags) > 1:
            self.data["Metadata"] = {**self.data.get("Metadata", {}), "tags": ", ".join(tags)}


class PostmarkMessage(_Tagged):
    base_message_attrs = with_usual_addresses(PostmarkPayload)


class PostmarkBatch(_Tagged):
    """One complete message for each entry: Postmark has no fields without a stored template."""

    base_message_attrs = without_recipients(PostmarkPayload)

    def get_api_endpoint(self) -> str:
        return "email/batch"

    def serialize_data(self) -> str:
        serialized: str = self.serialize_json([self._message(entry) for entry in self.message.entries])
        if len(serialized) > MOST_BYTES:
            raise TooLargeError(f"the batch has more than {MOST_BYTES} bytes")
        return serialized

    def _message(self, entry: Entry) -> dict[str, Any]:
        return {
            **self.data,
            "To": person_header(entry.name, entry.address),
            "Subject": entry.subject,
            "TextBody": with_fields(self.data["TextBody"], entry.fields),
            "HtmlBody": with_fields(self.data["HtmlBody"], entry.fields),
            "Headers": [{"Name": name, "Value": value} for name, value in entry.headers.items()],
            "Metadata": {**self.data.get("Metadata", {}), **entry.metadata},
        }


class PostmarkBackend(HttpBackend, BatchBackend, EmailBackend):  # type: ignore[misc]
    payload, batch_payload = PostmarkMessage, PostmarkBatch

    def raise_for_status(self, response: requests.Response, payload: Any, message: Any) -> None:
        # Anymail treats a 422 as sent if the text does not contain our address.
        if response.status_code == requests.codes.unprocessable:
            raise AnymailRequestsAPIError(email_message=message, payload=payload, response=response, backend=self)
        super().raise_for_status(response, payload, message)

    def parse_recipient_status(
        self, response: requests.Response, payload: Any, message: Any
    ) -> dict[str, AnymailRecipientStatus]:
        if isinstance(message, BatchMessage):
            unread: dict[str, AnymailRecipientStatus] = super().parse_recipient_status(response, payload, message)
            return unread
        # Anymail would parse the repeated `To`, and fail on a name with a comma.
        given = accepted_id(document(response))
        if not given:
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

    @property
    def largest_batch(self) -> int:
        return MOST_MESSAGES

    def answers_to(self, message: BatchMessage) -> list[Accepted | ProviderError]:
        answers = message.anymail_status.esp_response.json()  # type: ignore[attr-defined]
        if not isinstance(answers, list):
            raise IncompleteAnswerError("no list")
        return [self._answer_to_one(answer if isinstance(answer, dict) else {}) for answer in answers]

    def _answer_to_one(self, answer: dict[str, Any]) -> Accepted | ProviderError:
        given = accepted_id(answer)
        # A message alone would have got this status.
        status = requests.codes.unprocessable if error_code(answer) else requests.codes.ok
        return Accepted(given) if given else self.error_of(raw_answer(answer, status))

    def parse_answer(self, response: requests.Response) -> RawAnswer:
        return raw_answer(document(response), response.status_code)

    def code(self, answer: RawAnswer) -> str:
        if answer.status in {requests.codes.unprocessable, requests.codes.ok}:
            return f"postmark-{answer.code or None}"
        return super().code(answer)


def accepted_id(answer: dict[str, Any]) -> str:
    """Return Postmark's id of the message that it has accepted, "" if it has not."""
    given, text = answer.get("MessageID"), str(answer.get("Message"))
    # Postmark leaves the number out when it is slow.
    if error_code({"ErrorCode": 0, **answer}) != 0 or "will not deliver" in text:
        return ""
    return given if isinstance(given, str) else ""


def raw_answer(answer: dict[str, Any], status: int) -> RawAnswer:
    number, text = error_code(answer), answer.get("Message")
    return RawAnswer(status=status, code=str(number) if number else "", text=text if isinstance(text, str) else "")


def error_code(answer: dict[str, Any]) -> int | None:
    """Return Postmark's error number, 0 for no error; None for an answer of another server."""
    number = answer.get("ErrorCode")
    return number if isinstance(number, int) and not isinstance(number, bool) else None
