"""Amazon SES, API v2, POST /v2/email/outbound-emails (SendEmail), raw or simple content."""

import base64
import binascii
import json
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from devtools.simulator.dialects.base import GATEWAYS, JSON, Answer, Dialect, RefusedError, Results, gateway, usual
from devtools.simulator.dialects.files import of_mime
from devtools.simulator.journal import Entry

# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html
CODES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "BadRequestException",
    HTTPStatus.UNAUTHORIZED: "UnrecognizedClientException",
    HTTPStatus.FORBIDDEN: "InvalidClientTokenId",
    HTTPStatus.NOT_FOUND: "NotFoundException",
    HTTPStatus.TOO_MANY_REQUESTS: "TooManyRequestsException",
    HTTPStatus.INTERNAL_SERVER_ERROR: "InternalServiceErrorException",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
}
TEXTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "The security token included in the request is invalid.",
    HTTPStatus.FORBIDDEN: "The security token included in the request is invalid.",
    HTTPStatus.TOO_MANY_REQUESTS: "Maximum sending rate exceeded.",
}


class Ses(Dialect):
    name = "ses"
    max_body = 60 * 1024 * 1024  # an email of 40 MB in base64

    def authorize(self, headers: Mapping[str, str]) -> None:
        if not headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 "):
            raise RefusedError(
                refusal(HTTPStatus.FORBIDDEN, "MissingAuthenticationTokenException", "Missing Authentication Token")
            )

    def read(self, body: bytes, headers: Mapping[str, str]) -> Results:
        self.authorize(headers)
        try:
            return self._entries(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise RefusedError(self.error(HTTPStatus.BAD_REQUEST, type(error).__name__)) from error

    def _entries(self, data: dict[str, Any]) -> list[Entry]:
        content = self._content(data)
        tags = {tag["Name"]: tag["Value"] for tag in data.get("EmailTags", [])}
        destination = data.get("Destination", {})
        people = [address for kind in ("To", "Cc", "Bcc") for address in destination.get(f"{kind}Addresses", [])]
        people = people or content.pop("people")
        names = content.pop("names")
        content.pop("people", None)
        message_id = new_id()
        found = [address for _, address in getaddresses(people)]
        if not found:
            raise ValueError("no recipient")
        metadata = {**content.pop("metadata"), **tags}
        return [
            Entry(
                provider=self.name,
                provider_message_id=message_id,
                to=address,
                to_name=names.get(address, ""),
                metadata=metadata,
                tags=tags,
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

    def accepted(self, results: Results) -> Answer:
        first = next(one for one in results if isinstance(one, Entry))
        return said(HTTPStatus.OK, {"MessageId": first.provider_message_id})

    def error(self, status: int, text: str = "", *, retry_after_s: int = 0) -> Answer:
        # AWS sends no Retry-After.
        if status in GATEWAYS:
            return gateway(status)
        return refusal(status, CODES.get(status, "UnknownError"), text or usual(TEXTS, status))

    def suspended(self) -> Answer:
        return refusal(HTTPStatus.BAD_REQUEST, "AccountSuspendedException", "This account is suspended.")

    def invalid(self, address: str, place: int) -> Answer:
        return refusal(HTTPStatus.BAD_REQUEST, "BadRequestException", f"Illegal address: {address}")


def new_id() -> str:
    return f"01000{uuid4().hex[:11]}-{uuid4()}-000000"


def refusal(status: int, code: str, text: str) -> Answer:
    return said(status, {"message": text}, {"x-amzn-ErrorType": code})


def said(status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(body), {**JSON, "x-amzn-RequestId": str(uuid4()), **(headers or {})})


def _mime(raw: bytes) -> dict[str, Any]:
    message = message_from_bytes(raw, policy=policy.default)
    if not isinstance(message, EmailMessage) or "From" not in message:
        raise ValueError("no email")
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
        **of_mime(message),
    }
