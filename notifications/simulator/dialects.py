"""How the providers' requests read and how their answers look. Pure: bytes in, entries or a refusal out."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from notifications.simulator.journal import Entry


@dataclass(frozen=True)
class Answer:
    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """The request is not one the provider would take; carries the provider's answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class SendGrid:
    """API v3, POST /v3/mail/send."""

    name = "sendgrid"
    max_body = 30 * 1024 * 1024

    def read(self, body: bytes, headers: Mapping[str, str]) -> list[Entry]:
        """Return one entry per recipient. Raises RefusedError."""
        if not headers.get("Authorization", "").startswith("Bearer "):
            raise RefusedError(self.error(HTTPStatus.UNAUTHORIZED, "Permission denied, wrong credentials"))
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
                sender=_named(data["from"]),
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
            raise ValueError("nobody to send it to, or nothing to send")
        return entries

    def accepted(self, entries: list[Entry]) -> Answer:
        return Answer(HTTPStatus.ACCEPTED, headers={"X-Message-Id": entries[0].provider_message_id})

    def error(self, status: int, text: str = "") -> Answer:
        errors = [{"message": text or HTTPStatus(status).phrase, "field": None, "help": None}]
        return Answer(status, json.dumps({"errors": errors}), {"Content-Type": "application/json"})


class Postmark:
    """POST /email."""

    name = "postmark"
    max_body = 10 * 1024 * 1024

    def read(self, body: bytes, headers: Mapping[str, str]) -> list[Entry]:
        """Return one entry per recipient. Raises RefusedError."""
        if not headers.get("X-Postmark-Server-Token"):
            raise RefusedError(self.error(HTTPStatus.UNAUTHORIZED, "Bad or missing Server API token."))
        try:
            return self._entries(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            text = f"Invalid request: {type(error).__name__}"
            raise RefusedError(self.error(HTTPStatus.UNPROCESSABLE_ENTITY, text)) from error

    def _entries(self, data: dict[str, Any]) -> list[Entry]:
        people = getaddresses([data.get(kind, "") for kind in ("To", "Cc", "Bcc")])
        message_id = str(uuid4())
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
            )
            for name, address in people
            if address
        ]
        if not entries or not (entries[0].text or entries[0].html):
            raise ValueError("nobody to send it to, or nothing to send")
        return entries

    def accepted(self, entries: list[Entry]) -> Answer:
        body = {
            "To": entries[0].to,
            "MessageID": entries[0].provider_message_id,
            "SubmittedAt": "2026-01-01T00:00:00Z",
            "ErrorCode": 0,
            "Message": "OK",
        }
        return Answer(HTTPStatus.OK, json.dumps(body), {"Content-Type": "application/json"})

    def error(self, status: int, text: str = "") -> Answer:
        number = {HTTPStatus.UNAUTHORIZED: 10, HTTPStatus.SERVICE_UNAVAILABLE: 100}.get(HTTPStatus(status), 300)
        body = {"ErrorCode": number, "Message": text or HTTPStatus(status).phrase}
        return Answer(status, json.dumps(body), {"Content-Type": "application/json"})


class Ses:
    """API v2, POST /v2/email/outbound-emails (SendEmail), raw or simple content."""

    name = "ses"
    max_body = 60 * 1024 * 1024  # 40 MB of mail in base64

    def read(self, body: bytes, headers: Mapping[str, str]) -> list[Entry]:
        """Return one entry per destination. Raises RefusedError."""
        if not headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 "):
            answer = self.error(
                HTTPStatus.FORBIDDEN, "Missing Authentication Token", "MissingAuthenticationTokenException"
            )
            raise RefusedError(answer)
        try:
            return self._entries(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            answer = self.error(HTTPStatus.BAD_REQUEST, type(error).__name__, "BadRequestException")
            raise RefusedError(answer) from error

    def _entries(self, data: dict[str, Any]) -> list[Entry]:
        content = self._content(data)
        tags = {tag["Name"]: tag["Value"] for tag in data.get("EmailTags", [])}
        destination = data.get("Destination", {})
        people = [address for kind in ("To", "Cc", "Bcc") for address in destination.get(f"{kind}Addresses", [])]
        people = people or content.pop("people")
        names = content.pop("names")
        content.pop("people", None)
        message_id = f"01000{uuid4().hex[:11]}-{uuid4()}-000000"
        found = [address for _, address in getaddresses(people)]
        if not found:
            raise ValueError("nobody to send it to")
        metadata = {**content.pop("metadata"), **tags}
        return [
            Entry(
                provider=self.name,
                provider_message_id=message_id,
                to=address,
                to_name=names.get(address, ""),
                metadata=metadata,
                **content,
            )
            for address in found
        ]

    def _content(self, data: dict[str, Any]) -> dict[str, Any]:
        if "Raw" in data["Content"]:
            return _mime(base64.b64decode(data["Content"]["Raw"]["Data"], validate=True))
        simple = data["Content"]["Simple"]
        return {
            "sender": data["FromEmailAddress"],
            "subject": simple["Subject"]["Data"],
            "text": simple["Body"].get("Text", {}).get("Data", ""),
            "html": simple["Body"].get("Html", {}).get("Data", ""),
            "headers": {header["Name"]: header["Value"] for header in simple.get("Headers", [])},
            "metadata": {},
            "people": [],
            "names": {},
        }

    def accepted(self, entries: list[Entry]) -> Answer:
        body = json.dumps({"MessageId": entries[0].provider_message_id})
        return Answer(HTTPStatus.OK, body, {"Content-Type": "application/json"})

    def error(self, status: int, text: str = "", code: str = "") -> Answer:
        code = code or ("TooManyRequestsException" if status == HTTPStatus.TOO_MANY_REQUESTS else "ServiceUnavailable")
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
        return Answer(status, json.dumps({"message": text or HTTPStatus(status).phrase}), headers)


def _mime(raw: bytes) -> dict[str, Any]:
    message = message_from_bytes(raw, policy=policy.default)
    if not isinstance(message, EmailMessage) or "From" not in message:
        raise ValueError("no mail")
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    people = [str(value) for name in ("To", "Cc") for value in message.get_all(name, [])]
    metadata: dict[str, str] = {}
    for value in message.get_all("X-Metadata", []):
        metadata.update(json.loads(value))
    return {
        "sender": str(message["From"]),
        "subject": str(message.get("Subject", "")),
        "text": text.get_content() if text else "",
        "html": html.get_content() if html else "",
        "headers": {name: str(value) for name, value in message.items()},
        "metadata": metadata,
        "people": people,
        "names": {address: name for name, address in getaddresses(people)},
    }


def _named(person: Mapping[str, str]) -> str:
    name = person.get("name")
    return f"{name} <{person['email']}>" if name else person["email"]
