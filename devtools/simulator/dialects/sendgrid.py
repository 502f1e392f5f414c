"""SendGrid, API v3, POST /v3/mail/send."""

import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from devtools.simulator.dialects.base import (
    GATEWAYS,
    JSON,
    Answer,
    Dialect,
    RefusedError,
    Results,
    gateway,
    named,
    usual,
)
from devtools.simulator.dialects.files import SHOWN, file_in_base64
from devtools.simulator.journal import Entry

# https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/errors
TEXTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "The provided authorization grant is invalid, expired, or revoked",
    HTTPStatus.FORBIDDEN: "access forbidden",
    HTTPStatus.NOT_FOUND: "not found",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Payload too large",
    HTTPStatus.TOO_MANY_REQUESTS: "too many requests",
}


# https://www.twilio.com/docs/sendgrid/api-reference/mail-send/limitations
MOST_RECIPIENTS = 1000
MOST_BYTES_OF_SUBSTITUTIONS = 10_000


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
        self._refuse_beyond_limits(data["personalizations"])
        contents = {part["type"]: part["value"] for part in data["content"]}
        message_id = uuid4().hex[:22]
        beyond = _beyond(data, contents)
        entries = [
            Entry(
                provider=self.name,
                provider_message_id=message_id,
                to=person["email"],
                to_name=person.get("name", ""),
                sender=named(data["from"]),
                subject=_substituted(who.get("subject") or data["subject"], who),
                text=_substituted(contents.get("text/plain", ""), who),
                html=_substituted(contents.get("text/html", ""), who),
                headers={**data.get("headers", {}), **who.get("headers", {})},
                metadata={**data.get("custom_args", {}), **who.get("custom_args", {})},
                cc=[one["email"] for one in who.get("cc", [])],
                **beyond,
            )
            for who in data["personalizations"]
            for person in [*who["to"], *who.get("cc", []), *who.get("bcc", [])]
        ]
        if not entries or not contents:
            raise ValueError("no recipient, or no content")
        return entries

    def _refuse_beyond_limits(self, personalizations: list[dict[str, Any]]) -> None:
        if sum(len(who["to"]) for who in personalizations) > MOST_RECIPIENTS:
            raise RefusedError(
                self._bad_request("The personalizations contain too many recipients.", "personalizations")
            )
        for place, who in enumerate(personalizations):
            addresses = [one["email"].lower() for kind in ("to", "cc", "bcc") for one in who.get(kind, [])]
            if len(addresses) > len(set(addresses)):
                text = "Each email address in the personalization block should be unique between to, cc, and bcc."
                raise RefusedError(self._bad_request(text, f"personalizations.{place}"))
            substitutions = who.get("substitutions", {})
            if sum(len(f"{tag}{text}".encode()) for tag, text in substitutions.items()) > MOST_BYTES_OF_SUBSTITUTIONS:
                text = "The total length of the substitutions must not exceed 10000 bytes."
                raise RefusedError(self._bad_request(text, f"personalizations.{place}.substitutions"))

    def accepted(self, results: Results) -> Answer:
        first = next(one for one in results if isinstance(one, Entry))
        return Answer(HTTPStatus.ACCEPTED, headers={"X-Message-Id": first.provider_message_id})

    def invalid(self, address: str, place: int) -> Answer:
        return self._bad_request("Does not contain a valid address.", f"personalizations.{place}.to.0.email")

    def _bad_request(self, text: str, field: str) -> Answer:
        errors = [{"message": text, "field": field, "help": None}]
        return Answer(HTTPStatus.BAD_REQUEST, json.dumps({"errors": errors}), JSON)

    def error(self, status: int, text: str = "", *, retry_after_s: int = 0) -> Answer:
        if status in GATEWAYS:
            return gateway(status)
        errors = [{"message": text or usual(TEXTS, status), "field": None, "help": None}]
        headers = {**JSON, **(_limit(retry_after_s) if status == HTTPStatus.TOO_MANY_REQUESTS else {})}
        return Answer(status, json.dumps({"errors": errors}), headers)

    def suspended(self) -> Answer:
        return self.error(HTTPStatus.FORBIDDEN, "Your account is not allowed to send email. Please contact support.")


def _beyond(data: Mapping[str, Any], contents: Mapping[str, str]) -> dict[str, Any]:
    return {
        "reply_to": [one["email"] for one in data.get("reply_to_list", [])],
        "labels": data.get("categories", []),
        "parts": {kind: text for kind, text in contents.items() if kind not in SHOWN},
        "files": [
            file_in_base64(one["filename"], one.get("type", ""), one["content"], one.get("content_id", ""))
            for one in data.get("attachments", [])
        ],
    }


def _substituted(text: str, who: Mapping[str, Any]) -> str:
    for tag, own in who.get("substitutions", {}).items():
        text = text.replace(tag, own)
    return text


def _limit(retry_after_s: int) -> dict[str, str]:
    # https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits
    limits = {
        "X-RateLimit-Limit": "500",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(time.time()) + retry_after_s),
    }
    return {**limits, "Retry-After": str(retry_after_s)} if retry_after_s else limits
