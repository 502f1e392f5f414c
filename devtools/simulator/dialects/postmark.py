"""Postmark, POST /email and /email/batch."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import getaddresses
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from devtools.simulator.dialects.base import GATEWAYS, JSON, Answer, Dialect, RefusedError, Results, gateway, usual
from devtools.simulator.dialects.files import file_in_base64
from devtools.simulator.journal import Entry

# https://postmarkapp.com/developer/api/overview#error-codes
BAD_TOKEN = 10
MAINTENANCE = 100
INVALID_REQUEST = 300
NOT_ALLOWED = 405
INACTIVE = 406
RATE_EXCEEDED = 429
MOST_MESSAGES = 500
NUMBERS: dict[int, int] = {
    HTTPStatus.UNAUTHORIZED: BAD_TOKEN,
    HTTPStatus.TOO_MANY_REQUESTS: RATE_EXCEEDED,
    HTTPStatus.SERVICE_UNAVAILABLE: MAINTENANCE,
}
TEXTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "The Server Token you provided in the X-Postmark-Server-Token request header was invalid.",
    HTTPStatus.TOO_MANY_REQUESTS: "Rate limit exceeded.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Postmark API offline for maintenance.",
}


class Postmark(Dialect):
    name = "postmark"
    max_body = 10 * 1024 * 1024

    def authorize(self, headers: Mapping[str, str]) -> None:
        if not headers.get("X-Postmark-Server-Token"):
            raise RefusedError(self.error(HTTPStatus.UNAUTHORIZED, "Bad or missing Server API token."))

    def read(self, body: bytes, headers: Mapping[str, str]) -> Results:
        self.authorize(headers)
        try:
            return self._entries(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            text = f"Invalid request: {type(error).__name__}"
            raise RefusedError(self.error(HTTPStatus.UNPROCESSABLE_ENTITY, text)) from error

    def _entries(self, data: dict[str, Any]) -> list[Entry]:
        people = getaddresses([data[kind] for kind in ("To", "Cc", "Bcc") if data.get(kind)])
        message_id = str(uuid4())
        beyond = _beyond(data)
        entries = [
            Entry(
                provider=self.name,
                provider_message_id=message_id,
                to=address,
                to_name=name,
                sender=data["From"],
                subject=data["Subject"],
                text=data.get("TextBody", ""),
                html=data.get("HtmlBody", ""),
                headers={header["Name"]: header["Value"] for header in data.get("Headers", [])},
                metadata=data.get("Metadata", {}),
                **beyond,
            )
            for name, address in people
            if address
        ]
        if not entries or not (entries[0].text or entries[0].html):
            raise ValueError("no recipient, or no content")
        return entries

    def accepted(self, results: Results) -> Answer:
        first = next(one for one in results if isinstance(one, Entry))
        return Answer(HTTPStatus.OK, json.dumps(_acceptance(first)), JSON)

    def error(self, status: int, text: str = "", *, retry_after_s: int = 0) -> Answer:
        if status in GATEWAYS:
            return gateway(status)
        headers = (
            {"Retry-After": str(retry_after_s)} if retry_after_s and status == HTTPStatus.TOO_MANY_REQUESTS else {}
        )
        return _answer(status, NUMBERS.get(status, INVALID_REQUEST), text or usual(TEXTS, status), headers)

    def suspended(self) -> Answer:
        return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, NOT_ALLOWED, "Your account is not allowed to send.", {})

    def inactive(self, address: str) -> Answer:
        text = (
            "You tried to send to recipient(s) that have been marked as inactive. "
            f"Found inactive addresses: {address.lower()}. "
            "Inactive recipients are ones that have generated a hard bounce, a spam complaint, or a manual suppression."
        )
        return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, INACTIVE, text, {})

    def invalid(self, address: str, place: int) -> Answer:
        text = f"Invalid 'To' address: '{address}'."
        return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, INVALID_REQUEST, text, {})


class PostmarkBatch(Postmark):
    """https://postmarkapp.com/developer/api/email-api#send-batch-emails"""

    max_body = 50 * 1024 * 1024
    answers_each = True

    def read(self, body: bytes, headers: Mapping[str, str]) -> Results:
        self.authorize(headers)
        try:
            batch = json.loads(body)
        except ValueError:
            batch = None
        if not isinstance(batch, list) or not 0 < len(batch) <= MOST_MESSAGES:
            text = f"A batch has 1 to {MOST_MESSAGES} messages."
            raise RefusedError(self.error(HTTPStatus.UNPROCESSABLE_ENTITY, text))
        return [self._result(one) for one in batch]

    def accepted(self, results: Results) -> Answer:
        each = [json.loads(one.body) if isinstance(one, Answer) else _acceptance(one) for one in results]
        return Answer(HTTPStatus.OK, json.dumps(each), JSON)

    def _result(self, data: Any) -> Entry | Answer:
        try:
            (entry,) = self._entries(data)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, INVALID_REQUEST, f"Invalid: {type(error).__name__}", {})
        return entry


def _beyond(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "cc": [address for _, address in getaddresses([data.get("Cc", "")]) if address],
        "reply_to": [address for _, address in getaddresses([data.get("ReplyTo", "")]) if address],
        "labels": [data["Tag"]] if data.get("Tag") else [],
        "files": [
            file_in_base64(one["Name"], one["ContentType"], one["Content"], one.get("ContentID", ""))
            for one in data.get("Attachments", [])
        ],
    }


def _acceptance(entry: Entry) -> dict[str, Any]:
    return {
        "To": entry.to,
        "MessageID": entry.provider_message_id,
        "SubmittedAt": datetime.now(UTC).isoformat(),
        "ErrorCode": 0,
        "Message": "OK",
    }


def _answer(status: int, number: int, text: str, headers: Mapping[str, str]) -> Answer:
    return Answer(status, json.dumps({"ErrorCode": number, "Message": text}), {**JSON, **headers})
