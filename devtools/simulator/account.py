"""The providers' account APIs: quota and suppression lists."""

import json
from datetime import timedelta
from http import HTTPStatus

from devtools.simulator.dialects.base import JSON, Answer, RefusedError
from devtools.simulator.dialects.ses import refusal, said
from devtools.simulator.handlers import PartHandler
from devtools.simulator.outcomes import Outcome

DAY = timedelta(hours=24)
# SendGrid's lists by their names in URLs, and the outcome that puts an address on each.
SENDGRID_LISTS = {
    "bounces": Outcome.BOUNCED,
    "spam_reports": Outcome.COMPLAINED,
    "blocks": None,
    "invalid_emails": None,
}
SES_REASONS = {Outcome.BOUNCED: "BOUNCE", Outcome.COMPLAINED: "COMPLAINT"}
POSTMARK_REASONS = {Outcome.BOUNCED: "HardBounce", Outcome.COMPLAINED: "SpamComplaint"}
POSTMARK_FILTERS = ("EmailAddress", "SuppressionReason", "Origin")


class AccountHandler(PartHandler):
    def prepare(self) -> None:
        super().prepare()
        if self._finished:
            return
        try:
            self.part.dialect.authorize(self.request.headers)
        except RefusedError as refused:
            self.answer(refused.answer)

    def answer(self, answer: Answer) -> None:
        self.set_status(answer.status)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.finish(answer.body or None)

    def unlist(self, address: str, *reasons: Outcome) -> bool:
        """Remove an address that is on the list for one of these reasons. Return whether it was."""
        address = address.lower()
        listed = self.part.suppressed.get(address)
        if listed is None or listed.outcome not in reasons:
            return False
        del self.part.suppressed[address]
        return True


class SesAccount(AccountHandler):
    """https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html"""

    def get(self) -> None:
        controls = self.part.controls
        body = {
            "DedicatedIpAutoWarmupEnabled": False,
            "EnforcementStatus": "HEALTHY",
            "ProductionAccessEnabled": controls.production_access,
            "SendQuota": {
                "Max24HourSend": controls.quota_per_day,
                "MaxSendRate": controls.quota_per_second,
                "SentLast24Hours": float(self.simulator.journal.accepted_within("ses", DAY)),
            },
            "SendingEnabled": controls.sending_enabled,
            "SuppressionAttributes": {"SuppressedReasons": list(SES_REASONS.values())},
        }
        self.answer(said(HTTPStatus.OK, body))


class SesSuppressed(AccountHandler):
    """https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_DeleteSuppressedDestination.html and its sibling."""

    def get(self, address: str) -> None:
        listed = self.part.suppressed.get(address.lower())
        if listed is None or listed.outcome not in SES_REASONS:
            return self._missing(address)
        reason = {"EmailAddress": address, "Reason": SES_REASONS[listed.outcome]}
        return self.answer(said(HTTPStatus.OK, {"SuppressedDestination": reason}))

    def delete(self, address: str) -> None:
        if self.unlist(address, *SES_REASONS):
            return self.answer(said(HTTPStatus.OK, {}))
        return self._missing(address)

    def _missing(self, address: str) -> None:
        text = f"Email address {address} does not exist on your suppression list."
        return self.answer(refusal(HTTPStatus.NOT_FOUND, "NotFoundException", text))


class SendGridSuppressed(AccountHandler):
    """https://www.twilio.com/docs/sendgrid/api-reference/bounces-api/delete-a-bounce and its siblings."""

    def delete(self, kind: str, address: str) -> None:
        reason = SENDGRID_LISTS[kind]
        if reason and self.unlist(address, reason):
            return self.answer(Answer(HTTPStatus.NO_CONTENT))
        return self.answer(self.part.dialect.error(HTTPStatus.NOT_FOUND))


class PostmarkDump(AccountHandler):
    """https://postmarkapp.com/developer/api/suppressions-api#suppression-dump, without its filters by date."""

    def get(self, stream: str) -> None:
        found = [
            {
                "EmailAddress": address,
                "SuppressionReason": POSTMARK_REASONS[listed.outcome],
                "Origin": "Recipient",
                "CreatedAt": listed.at.isoformat(timespec="seconds"),
            }
            for address, listed in self.part.suppressed.items()
        ]
        for name in POSTMARK_FILTERS:
            wanted = self.get_argument(name, "").lower()
            found = [one for one in found if wanted in {"", one[name].lower()}]
        self.answer(Answer(HTTPStatus.OK, json.dumps({"Suppressions": found}), JSON))


class PostmarkSuppressed(AccountHandler):
    """https://postmarkapp.com/developer/api/suppressions-api#delete-a-suppression"""

    def post(self, stream: str) -> None:
        try:
            addresses = [str(one["EmailAddress"]) for one in json.loads(self.request.body)["Suppressions"]]
        except (ValueError, KeyError, TypeError):
            return self.answer(self.part.dialect.error(HTTPStatus.UNPROCESSABLE_ENTITY))
        for address in addresses:
            self.unlist(address, Outcome.BOUNCED)
        # An address that is not on the list counts as deleted; only complaints stay.
        said = [{"EmailAddress": address, **self._removal(address)} for address in addresses]
        return self.answer(Answer(HTTPStatus.OK, json.dumps({"Suppressions": said}), JSON))

    def _removal(self, address: str) -> dict[str, str | None]:
        if address.lower() in self.part.suppressed:
            return {"Status": "Failed", "Message": "You do not have the required authority to change this suppression."}
        return {"Status": "Deleted", "Message": None}
