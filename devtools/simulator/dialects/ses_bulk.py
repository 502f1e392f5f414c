"""Amazon SES, API v2, POST /v2/email/outbound-bulk-emails (SendBulkEmail), with the template in the request."""

import json
import re
from collections.abc import Mapping
from email.header import decode_header, make_header
from email.utils import getaddresses
from http import HTTPStatus
from typing import Any

from devtools.simulator.dialects.base import Answer, RefusedError, Results
from devtools.simulator.dialects.ses import Ses, new_id, said
from devtools.simulator.journal import Entry

# https://docs.aws.amazon.com/ses/latest/dg/send-personalized-email-api.html
MOST_ENTRIES = 50
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageHeader.html
MOST_HEADERS = 15
LONGEST_HEADER = 996
PRINTABLE = re.compile(r"[ -~]*")
TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
VARIABLE = re.compile(r"\{\{\s*([\w-]+)\s*\}\}")


class SesBulk(Ses):
    max_body = 1024 * 1024
    answers_each = True

    def read(self, body: bytes, headers: Mapping[str, str]) -> Results:
        self.authorize(headers)
        try:
            data = json.loads(body)
            entries = [_entry(self.name, data, one) for one in data["BulkEmailEntries"]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RefusedError(self.error(HTTPStatus.BAD_REQUEST, type(error).__name__)) from error
        if not 0 < len(entries) <= MOST_ENTRIES:
            raise RefusedError(self.error(HTTPStatus.BAD_REQUEST, f"A call has 1 to {MOST_ENTRIES} entries."))
        return entries

    def accepted(self, results: Results) -> Answer:
        return said(HTTPStatus.OK, {"BulkEmailEntryResults": [_result(one) for one in results]})


def _result(one: Entry | Answer) -> dict[str, str]:
    if isinstance(one, Answer):
        return {"Status": "INVALID_PARAMETER", "Error": json.loads(one.body)["message"]}
    return {"Status": "SUCCESS", "MessageId": one.provider_message_id}


def _entry(provider: str, data: dict[str, Any], one: dict[str, Any]) -> Entry:
    template = data["DefaultContent"]["Template"]
    content = template["TemplateContent"]
    given = one.get("ReplacementEmailContent", {}).get("ReplacementTemplate", {}).get("ReplacementTemplateData", "{}")
    values = {**json.loads(template.get("TemplateData", "{}")), **json.loads(given)}
    headers = {
        each["Name"]: each["Value"] for each in [*template.get("Headers", []), *one.get("ReplacementHeaders", [])]
    }
    _check_headers(headers)
    tags = {tag["Name"]: tag["Value"] for tag in [*data.get("DefaultEmailTags", []), *one.get("ReplacementTags", [])]}
    if not all(TAG.fullmatch(text) for tag in tags.items() for text in tag):
        raise ValueError("a tag with other characters")
    ((name, address),) = getaddresses(one["Destination"]["ToAddresses"])
    return Entry(
        provider=provider,
        provider_message_id=new_id(),
        to=address,
        to_name=_shown(name),
        sender=_shown(data["FromEmailAddress"]),
        subject=_shown(_rendered(content["Subject"], values)),
        text=_rendered(content.get("Text", ""), values),
        html=_rendered(content.get("Html", ""), values),
        headers=headers,
        metadata={**json.loads(headers.get("X-Metadata", "{}")), **tags},
        tags=tags,
        reply_to=[address for _, address in getaddresses(data.get("ReplyToAddresses", []))],
        labels=headers["X-Tag"].split(", ") if "X-Tag" in headers else [],
    )


def _pairs(*lists: list[dict[str, str]] | None) -> dict[str, str]:
    return {each["Name"]: each["Value"] for some in lists for each in some or []}


def _check_headers(headers: Mapping[str, str]) -> None:
    if len(headers) > MOST_HEADERS:
        raise ValueError("too many headers")
    if not all(PRINTABLE.fullmatch(value) and len(name + value) <= LONGEST_HEADER for name, value in headers.items()):
        raise ValueError("a header that is too long, or not ASCII")


def _shown(header: str) -> str:
    # SES writes encoded words unchanged, and the recipient's program decodes them.
    return str(make_header(decode_header(header)))


def _rendered(text: str, values: Mapping[str, str]) -> str:
    # SES does not escape HTML. A variable without a value fails.
    return VARIABLE.sub(lambda found: values[found[1]], text)
