"""A batch as Amazon SES' SendBulkEmail, with the template in the request.

https://docs.aws.amazon.com/ses/latest/dg/send-personalized-email-api.html
"""

import re
from typing import Any

from anymail.backends.amazon_ses import AmazonSESV2SendBulkEmailPayload

from notifications.providers.base.answers import RawAnswer
from notifications.providers.base.batch import Entry, NotInBatchError, TooLargeError, without_recipients
from notifications.providers.base.compose import ascii_person_header

MOST_ENTRIES = 50
MOST_BYTES = 1_000_000
MOST_BYTES_OF_FIELDS = 200_000
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageHeader.html
_HEADER_VALUE = re.compile(r"[ -~]{1,870}")
MOST_HEADERS = 13  # and ours: the metadata, the tags
# SES writes these.
_OF_SES = {"message-id", "date"}
# Braces begin a variable, and a backslash before them escapes it.
_SIGNS = {"open": "{", "close": "}", "backslash": "\\"}
_AS_VARIABLES = str.maketrans({sign: f"{{{{{name}}}}}" for name, sign in _SIGNS.items()})


class SesBulk(AmazonSESV2SendBulkEmailPayload):  # type: ignore[misc]
    """One template for all; tokens become variables, and SES does not escape their values."""

    base_message_attrs = without_recipients(AmazonSESV2SendBulkEmailPayload)

    def init_payload(self) -> None:
        super().init_payload()
        # The whole subject may need encoding.
        self.content = {"Subject": "{{subject}}"}

    def set_subject(self, subject: str) -> None:
        """The entries have it."""

    def set_text_body(self, body: str) -> None:
        self.content["Text"] = self._template(body)

    def set_html_body(self, body: str) -> None:
        self.content["Html"] = self._template(body)

    def finalize_payload(self) -> None:
        self.params["DefaultContent"] = {"Template": {"TemplateContent": self.content, "TemplateData": "{}"}}
        self.params["BulkEmailEntries"] = [self._entry(entry) for entry in self.message.entries]
        if len(self.serialize_json(self.params)) > MOST_BYTES:
            raise TooLargeError(f"the batch has more than {MOST_BYTES} bytes")

    def _entry(self, entry: Entry) -> dict[str, Any]:
        values = {name: entry.fields[token] for token, name in self._names.items()}
        data = self.serialize_json({**values, **_SIGNS, "subject": entry.subject})
        headers = {**sent_headers(entry), "X-Metadata": self.serialize_json(entry.metadata)}
        if self.tags:
            headers["X-Tag"] = ", ".join(self.tags)
        return {
            "Destination": {"ToAddresses": [ascii_person_header(entry.name, entry.address)]},
            "ReplacementEmailContent": {"ReplacementTemplate": {"ReplacementTemplateData": data}},
            "ReplacementHeaders": _pairs(headers),
            # SES' events contain the tags even if the headers are cut off.
            "ReplacementTags": _pairs(entry.metadata),
        }

    @property
    def _names(self) -> dict[str, str]:
        # By token. AWS documents names of letters and digits only.
        return {token: f"field{number}" for number, token in enumerate(self.message.entries[0].fields)}

    def _template(self, text: str) -> str:
        text = text.translate(_AS_VARIABLES)
        for token, name in self._names.items():
            text = text.replace(token, f"{{{{{name}}}}}")
        return text


def sent_headers(entry: Entry) -> dict[str, str]:
    return {name: value for name, value in entry.headers.items() if name.lower() not in _OF_SES}


def require_fit(entry: Entry) -> None:
    """Raise NotInBatchError for an entry that only a call of SendEmail can have."""
    headers = sent_headers(entry)
    if len(headers) > MOST_HEADERS or not all(map(_HEADER_VALUE.fullmatch, headers.values())):
        raise NotInBatchError("a header that SendBulkEmail does not take")
    if sum(len(text) for text in entry.fields.values()) > MOST_BYTES_OF_FIELDS:
        raise NotInBatchError(f"the recipient's fields have more than {MOST_BYTES_OF_FIELDS} characters")


def raw_result(result: dict[str, Any]) -> RawAnswer:
    # The answers' table has the statuses as codes.
    return RawAnswer(status=400, code=str(result.get("Status", "")), text=str(result.get("Error", "")))


def _pairs(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]
