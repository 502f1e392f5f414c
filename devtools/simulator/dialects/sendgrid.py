"""SendGrid, API v3, POST /v3/mail/send."""

import json
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from devtools.simulator.dialects.base import (
    GATEWAYS,
    JSON,
    Answer,
    Dialect,
    RefusedError,
    gateway,
    named,
    usual,
)
from devtools.simulator.journal import Entry

# https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/errors
TEXTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "The provided authorization grant is invalid, expired, or revoked",
    HTTPStatus.FORBIDDEN: "access forbidden",
    HTTPStatus.NOT_FOUND: "not found",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Payload too large",
    HTTPStatus.TOO_MANY_REQUESTS: "too many requests",
}


class SendGrid(Dialect):
    max_body = 30 * 1024 * 1024

    def __init__(self, name: str = "sendgrid") -> None:
        self.name = name

    def authorize(self, headers: Mapping[str, str]) -> None:
        if not headers.get("Authorization", "").startswith("Bearer "):
            raise RefusedError(self.error(HTTPStatus.UNAUTHORIZED, "Permission denied, wrong credentials"))

    def read(self, body: bytes, headers: Mapping[str, str]) -> list[Entry]:
        self.authorize(headers)
        try:
            return self._entries(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            text = f"Bad Request: {type(error).__name__}"
            raise RefusedError(self.error(HTTPStatus.BAD_REQUEST, text)) from error

    def _entries(self, data: dict[str, Any]) -> list[Entry]:
        contents = {part["type"]: part["value"] for part in data["content"]}
        message_id = uuid4().hex[:22]
        entries = [
            Entry(
                provider=self.name,
                provider_message_id=message_id,
                to=person["email"],
                to_name=person.get("name", ""),
                sender=named(data["from"]),
                subject=who.get("subject") or data["subject"],
                text=contents.get("text/plain", ""),
                html=contents.get("text/html", ""),
                headers={**data.get("headers", {}), **who.get("headers", {})},
                metadata={**data.get("custom_args", {}), **who.get("custom_args", {})},
            )
            for who in data["personalizations"]
            for person in [*who["to"], *who.get("cc", []), *who.get("bcc", [])]
        ]
        if not entries or not contents:
            raise ValueError("no recipient, or no content")
        return entries

    def accepted(self, entries: Sequence[Entry]) -> Answer:
        return Answer(HTTPStatus.ACCEPTED, headers={"X-Message-Id": entries[0].provider_message_id})

    def error(self, status: int, text: str = "", *, retry_after_s: int = 0) -> Answer:
        if status in GATEWAYS:
            return gateway(status)
        errors = [{"message": text or usual(TEXTS, status), "field": None, "help": None}]
        headers = {**JSON, **(_limit(retry_after_s) if status == HTTPStatus.TOO_MANY_REQUESTS else {})}
        return Answer(status, json.dumps({"errors": errors}), headers)

    def suspended(self) -> Answer:
        return self.error(HTTPStatus.FORBIDDEN, "Your account is not allowed to send email. Please contact support.")


def _limit(retry_after_s: int) -> dict[str, str]:
    # https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits
    limits = {
        "X-RateLimit-Limit": "500",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(time.time()) + retry_after_s),
    }
    return {**limits, "Retry-After": str(retry_after_s)} if retry_after_s else limits
