"""SendGrid, API v3, through Anymail.

Anymail calls this adapter unsupported since June 2025 (it has no test account any more) and warns at each
construction. Only that warning is silenced here, because the documentation has it.
"""

import re
import threading
import warnings
from collections.abc import Mapping
from typing import Any

import requests
from anymail.backends.sendgrid import EmailBackend, SendGridPayload
from anymail.exceptions import AnymailNotSupportedWarning, AnymailRequestsAPIError
from anymail.utils import EmailAddress
from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.base.answers import RawAnswer
from notifications.providers.base.batch import (
    BatchBackend,
    BatchMessage,
    Entry,
    NotInBatchError,
    without_recipients,
)
from notifications.providers.base.compose import shown_name
from notifications.providers.base.http import HttpBackend, HttpProvider, document, timeouts, until_reset_s
from notifications.providers.base.sending import Accepted, ProviderError
from notifications.providers.base.usual_addresses import with_usual_addresses
from notifications.providers.sendgrid.answers import ROWS
from notifications.providers.sendgrid.settings import settings

# https://www.twilio.com/docs/sendgrid/api-reference/mail-send/limitations
MOST_RECIPIENTS = 1000
MOST_BYTES_OF_FIELDS = 10_000
_PLACE = re.compile(r"personalizations\.(\d{1,4})\.")
# The most characters to search in an answer that is not SendGrid's.
LONGEST_PAGE = 2000

# catch_warnings() changes the whole process: two threads could leave a filter behind.
_warnings_lock = threading.Lock()


class SendGridMessage(SendGridPayload):  # type: ignore[misc]
    base_message_attrs = with_usual_addresses(SendGridPayload)

    def set_recipients(self, recipient_type: str, emails: list[EmailAddress]) -> None:
        # SendGrid refuses an email that names an address twice.
        known = {one.addr_spec.lower() for one in self.all_recipients}
        super().set_recipients(recipient_type, [one for one in emails if one.addr_spec.lower() not in known])


class SendGridBatch(SendGridPayload):  # type: ignore[misc]
    """One personalization for each entry: a recipient does not see the others."""

    base_message_attrs = without_recipients(SendGridPayload)

    def serialize_data(self) -> str:
        self.generate_message_id = False
        entries = self.message.entries
        first, *others = [entry.headers for entry in entries]
        shared = {name: value for name, value in first.items() if all(each.get(name) == value for each in others)}
        self.data["headers"].update(shared)
        self.data["personalizations"] = [self._personalization(entry, shared) for entry in entries]
        serialized: str = super().serialize_data()
        return serialized

    def _personalization(self, entry: Entry, shared: Mapping[str, str]) -> dict[str, Any]:
        to = {"email": entry.address, **({"name": shown_name(entry.name)} if entry.name else {})}
        parts = {
            "headers": {name: value for name, value in entry.headers.items() if name not in shared},
            "substitutions": entry.fields,
        }
        # SendGrid would also replace the tokens of the subject, but the whole of it may need encoding.
        own = {"to": [to], "subject": entry.subject, "custom_args": {**entry.metadata, "anymail_id": entry.given_id}}
        return {**own, **{name: part for name, part in parts.items() if part}}


class SendGridBackend(HttpBackend, BatchBackend, EmailBackend):  # type: ignore[misc]
    payload, batch_payload = SendGridMessage, SendGridBatch

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

    @property
    def largest_batch(self) -> int:
        return MOST_RECIPIENTS

    def require_fit(self, entry: Entry) -> None:
        if sum(len(token) + len(text.encode()) for token, text in entry.fields.items()) > MOST_BYTES_OF_FIELDS:
            raise NotInBatchError(f"the recipient's fields have more than {MOST_BYTES_OF_FIELDS} bytes")

    def answers_to(self, message: BatchMessage) -> list[Accepted | ProviderError]:
        # SendGrid accepts all or none, and names no ids.
        return [Accepted(entry.given_id) for entry in message.entries]

    def refused(self, response: requests.Response) -> ProviderError:
        error = super().refused(response)
        if error.is_about_one_message:
            fields = [str(one.get("field")) for one in listed_errors(response)]
            error.places = frozenset(int(found[1]) for found in map(_PLACE.match, fields) if found)
        return error

    def parse_answer(self, response: requests.Response) -> RawAnswer:
        found = [one for one in listed_errors(response) if isinstance(one.get("message"), str)]
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


def listed_errors(response: requests.Response) -> list[dict[str, Any]]:
    errors = document(response).get("errors")
    return [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
