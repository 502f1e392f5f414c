"""A Postmark server, with its server token: https://postmarkapp.com/developer/api/overview."""

from typing import Any
from urllib.parse import unquote, urlsplit

from notifications.providers.base.account import (
    Finding,
    Quota,
    bad,
    good,
    inspect_part,
    no_access,
    note,
    unreadable,
)
from notifications.providers.base.http_account import HttpAccount, objects
from notifications.providers.base.sender import sender_address
from notifications.providers.base.sending import ProviderError
from notifications.providers.base.webhook_check import Problem, check_webhooks, missing_events
from notifications.providers.base.webhook_url import webhook_url
from notifications.providers.postmark.backend import Postmark
from notifications.providers.postmark.settings import settings
from notifications.rules.retry import ErrorClass
from notifications.rules.suppression import Reason

# The stream that Anymail sends to.
STREAM = "outbound"
# Postmark's names of the reasons; an address is on its list for one reason.
REASONS = {
    Reason.HARD_BOUNCE: "HardBounce",
    Reason.SOFT_BOUNCES: "HardBounce",
    Reason.COMPLAINT: "SpamComplaint",
    Reason.UNSUBSCRIBED: "ManualSuppression",
}
NEEDED_TRIGGERS = ("Delivery", "Bounce", "SpamComplaint")


class PostmarkAccount(HttpAccount):
    provider = "postmark"
    spf_include = "spf.mtasv.net"
    sender = Postmark

    def api_url(self) -> str:
        return f"{settings.POSTMARK_API_URL.rstrip('/')}/"

    def headers(self) -> dict[str, str]:
        return {"X-Postmark-Server-Token": settings.POSTMARK_SERVER_TOKEN}

    def quota(self) -> Quota | None:
        # Postmark has no rate limit, and a server token cannot read the plan's credits.
        return None

    def unsuppress(self, address: str, reason: Reason | None = None) -> bool:
        """Remove an address from the list. Raises ProviderError for a complaint: only Postmark lifts those."""
        # This reads first, because Postmark also answers "Deleted" for an address that is not on the list.
        path = f"message-streams/{STREAM}/suppressions"
        listed = self.read(f"{path}/dump", key="Suppressions", EmailAddress=address)
        if not any(reason is None or each.get("SuppressionReason") == REASONS.get(reason) for each in listed):
            return False
        answer = self.ask("POST", f"{path}/delete", body={"Suppressions": [{"EmailAddress": address}]})
        results = objects(answer.get("Suppressions") if isinstance(answer, dict) else None)
        if [result.get("Status") for result in results] == ["Deleted"]:
            return True
        raise ProviderError(ErrorClass.PERMANENT, "kept", "Postmark does not remove the address, as after complaints")

    def inspect(self) -> list[Finding]:
        try:
            found = server(self.document("server"))
        except ProviderError as error:
            hint = "Copy the server's API token (Servers, API Tokens) into POSTMARK_SERVER_TOKEN."
            return [no_access(error, hint, address="POSTMARK_API_URL")]
        text = f"a server token cannot read whether {sender_address()} is a confirmed signature"
        found.append(note("sender", "unknown", text, "Check Sender Signatures at Postmark."))
        return found + inspect_part("webhook", self._webhook)

    def _webhook(self) -> list[Finding]:
        hooks = self.read("webhooks", key="Webhooks", MessageStream=STREAM)
        url = webhook_url("postmark")
        return check_webhooks(
            *("postmark", hooks),
            url_key="Url",
            problems=_webhook_problems,
            missing=f"Add a webhook for {url} to the stream {STREAM}.",
            otherwise=f"reports to {url}",
        )


def server(answer: dict[str, Any]) -> list[Finding]:
    # Only the name is shown: the answer contains the server's tokens.
    if "ID" not in answer:
        raise unreadable()
    if answer.get("DeliveryType") == "Sandbox":
        hint = "Use the token of a server whose type is Live."
        return [bad("server", "sandbox", f"{answer.get('Name')} is a sandbox, which delivers no email", hint)]
    return [good("credentials", "accepted", f"accepted, server {answer.get('Name')}")]


def _webhook_problems(hook: dict[str, Any]) -> list[Problem]:
    missing = [name for name in NEEDED_TRIGGERS if not _section(_section(hook, "Triggers"), name).get("Enabled")]
    return [
        (
            _credentials(hook) != settings.POSTMARK_WEBHOOK_AUTH,
            "credentials",
            "its reports are refused: its user and password differ from POSTMARK_WEBHOOK_AUTH",
            "Set both to the same user:password.",
        ),
        missing_events(missing),
    ]


def _credentials(hook: dict[str, Any]) -> str:
    # From the fields of the webhook, or from its URL.
    form = _section(hook, "HttpAuth")
    if form.get("Username"):
        return f"{form['Username']}:{form.get('Password', '')}"
    return unquote(urlsplit(str(hook["Url"])).netloc.rpartition("@")[0])


def _section(answer: dict[str, Any], name: str) -> dict[str, Any]:
    found = answer.get(name)
    return found if isinstance(found, dict) else {}
