"""A SendGrid account, API v3: https://www.twilio.com/docs/sendgrid/api-reference."""

from typing import Any
from urllib.parse import quote

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
from notifications.providers.base.http_account import NOT_ALLOWED, NOT_THERE, HttpAccount, objects, whole_number
from notifications.providers.base.sender import sender_address, sender_domain
from notifications.providers.base.sending import ProviderError
from notifications.providers.base.webhook_check import Problem, check_webhooks, missing_events
from notifications.providers.base.webhook_url import webhook_url
from notifications.providers.sendgrid.backend import SendGrid
from notifications.providers.sendgrid.settings import settings
from notifications.rules.suppression import Reason

SUPPRESSION_LISTS = ("bounces", "blocks", "invalid_emails", "spam_reports")
LISTS_OF: dict[Reason, tuple[str, ...]] = {
    Reason.HARD_BOUNCE: ("bounces", "invalid_emails"),
    Reason.SOFT_BOUNCES: ("bounces", "blocks"),
    Reason.COMPLAINT: ("spam_reports",),
}
# The events about delivery, as the webhook's settings name them.
NEEDED_EVENTS = ("processed", "deferred", "delivered", "bounce", "dropped", "spam_report")
CHANGES = (".create", ".update", ".delete")
# The changes that the key needs: to send, and to remove addresses from the lists.
EXPECTED = ("mail.", "suppression.", "asm.groups.suppressions.")


class SendGridAccount(HttpAccount):
    provider = "sendgrid"
    spf_include = "sendgrid.net"
    usual_selectors = ("s1", "s2")
    sender = SendGrid

    def api_url(self) -> str:
        return f"{settings.SENDGRID_API_URL.rstrip('/')}/"

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {settings.SENDGRID_API_KEY}"}

    def quota(self) -> Quota | None:
        # SendGrid reports no rate, only the plan's credits. Only daily credits are a quota for Mailroom.
        try:
            credit = self.document("user/credits")
        except ProviderError as error:
            if error.code in NOT_ALLOWED:
                return None
            raise
        if credit.get("reset_frequency") != "daily":
            return None
        return Quota(per_second=None, per_day=whole_number(credit, "total"), sent_today=whole_number(credit, "used"))

    def unsuppress(self, address: str, reason: Reason | None = None) -> bool:
        if reason is Reason.UNSUBSCRIBED:
            return self._subscribe(quote(address, safe=""))
        names = LISTS_OF.get(reason, ()) if reason else SUPPRESSION_LISTS
        removed = [self._remove(f"suppression/{name}/{quote(address, safe='')}") for name in names]
        return any(removed)

    def _subscribe(self, address: str) -> bool:
        # The recipient unsubscribed from everything or from single groups.
        removed = [self._remove(f"asm/suppressions/global/{address}")]
        removed += [self._remove(f"asm/groups/{group}/suppressions/{address}") for group in self._left_groups(address)]
        return any(removed)

    def _left_groups(self, address: str) -> list[int]:
        try:
            groups = self.read(f"asm/suppressions/{address}", key="suppressions")
        except ProviderError as error:
            if error.code == NOT_THERE:
                return []
            raise
        return [whole_number(group, "id") for group in groups if group.get("suppressed")]

    def inspect(self) -> list[Finding]:
        try:
            found = check_scopes(self._scopes())
        except ProviderError as error:
            hint = 'Set SENDGRID_API_KEY to a key with the permission "Mail Send".'
            return [no_access(error, hint, address="SENDGRID_API_URL")]
        for subject, look in (("sender", self._sender), ("credits", self._credits), ("webhook", self._webhook)):
            found += inspect_part(subject, look, not_allowed=NOT_ALLOWED)
        return found

    def dkim_names(self) -> list[str]:
        domain = self._domain()
        hosts = [str(record.get("host")) for record in records(domain or {})]
        return [host for host in hosts if "._domainkey." in host]

    def _scopes(self) -> list[str]:
        scopes = self.document("scopes").get("scopes")
        if not isinstance(scopes, list):
            raise unreadable()
        return [str(scope) for scope in scopes]

    def _remove(self, path: str) -> bool:
        try:
            self.ask("DELETE", path)
        except ProviderError as error:
            if error.code == NOT_THERE:
                return False
            raise
        return True

    def _domain(self) -> dict[str, Any] | None:
        domain = sender_domain()
        found = objects(self.ask("GET", "whitelabel/domains", params={"domain": domain, "limit": "50"}))
        exact = [each for each in found if each.get("domain") == domain]
        return next((each for each in exact if each.get("valid")), exact[0] if exact else None)

    def _sender(self) -> list[Finding]:
        domain = self._domain()
        if domain is not None:
            return [authenticated(domain)]
        address = sender_address()
        senders = self.read("verified_senders", key="results")
        if any(str(each.get("from_email")).lower() == address and each.get("verified") for each in senders):
            text = f"{address} is a verified sender, but its domain is not authenticated"
            return [
                note(
                    "sender", "domain-not-authenticated", text, "Authenticate the domain, so that DKIM and DMARC pass."
                )
            ]
        hint = "Authenticate the domain (Settings, Sender Authentication), or correct DEFAULT_FROM_EMAIL."
        return [bad("sender", "unknown", f"SendGrid knows neither {address} nor its domain", hint)]

    def _credits(self) -> list[Finding]:
        return [credits_left(self.document("user/credits"))]

    def _webhook(self) -> list[Finding]:
        hooks = self.read("user/webhooks/event/settings/all", key="webhooks")
        url = webhook_url("sendgrid")
        return check_webhooks(
            *("sendgrid", hooks),
            url_key="url",
            problems=_webhook_problems,
            missing=f"Add a signed event webhook for {url} in SendGrid's settings.",
            otherwise=f"reports to {url}, signed",
        )


def check_scopes(scopes: list[str]) -> list[Finding]:
    # A key may have too few or too many permissions.
    if "mail.send" not in scopes:
        return [
            bad(
                "credentials",
                "may-not-send",
                "the key is valid, but must not send email",
                'Give it the permission "Mail Send".',
            )
        ]
    found = [good("credentials", "accepted", "accepted, and may send email")]
    surplus = sorted(scope for scope in scopes if scope.endswith(CHANGES) and not scope.startswith(EXPECTED))
    if surplus:
        text = f"the key may change {len(surplus)} other things ({', '.join(surplus[:3])} …)"
        found.append(note("permissions", "surplus", text, 'Prefer a key with only "Mail Send" and "Suppressions".'))
    return found


def authenticated(domain: dict[str, Any]) -> Finding:
    name = domain.get("domain")
    if domain.get("valid"):
        return good("sender", "authenticated", f"{name} is authenticated")
    wrong = [str(record.get("host")) for record in records(domain) if not record.get("valid")]
    hint = f"Publish the records that SendGrid shows for {', '.join(wrong)}, and verify again there."
    return bad("sender", "not-verified", f"{name} is known, but its DNS records are not verified", hint)


def records(domain: dict[str, Any]) -> list[dict[str, Any]]:
    dns = domain.get("dns")
    return [record for record in dns.values() if isinstance(record, dict)] if isinstance(dns, dict) else []


def credits_left(credit: dict[str, Any]) -> Finding:
    remain, total = whole_number(credit, "remain"), whole_number(credit, "total")
    text = f"{remain:,} of {total:,} left until {credit.get('next_reset')}"
    if total and not remain:
        return bad("credits", "used-up", text, "SendGrid accepts no email until that day; upgrade the plan.")
    return good("credits", "left", text)


def _webhook_problems(hook: dict[str, Any]) -> list[Problem]:
    key = str(hook.get("public_key") or "")
    return [
        (not hook.get("enabled"), "disabled", "it is switched off", "Enable it at SendGrid."),
        (not key, "not-signed", "it is not signed, and unsigned reports are refused", "Turn on Signed Event Webhook."),
        (
            key != settings.SENDGRID_WEBHOOK_KEY.strip(),
            "another-key",
            "it is signed with another key than SENDGRID_WEBHOOK_KEY",
            "Copy the verification key that SendGrid shows.",
        ),
        missing_events([event for event in NEEDED_EVENTS if not hook.get(event)]),
    ]
