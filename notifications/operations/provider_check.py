"""Check the provider set-up, without sending."""

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from notifications.conf import settings
from notifications.operations import dns
from notifications.providers import registry
from notifications.providers.base.account import (
    Account,
    Finding,
    Level,
    Quota,
    bad,
    failure_code,
    failure_text,
    good,
    note,
)
from notifications.providers.base.sender import sender_domain
from notifications.providers.base.sending import ProviderError
from notifications.providers.base.webhook import Webhook
from notifications.providers.base.webhook_url import webhook_url

NEARLY_USED = 0.8
MEANWHILE = "reports are refused until then (503), and lost once the provider gives up"


def check(names: Iterable[str]) -> list[Finding]:
    """Return the findings about the providers called `names`, with the provider in each subject.

    Takes some seconds for each, because it calls the provider and the DNS.
    """
    return [
        replace(finding, subject=f"{name} {finding.subject}") for name in names for finding in _check_provider(name)
    ]


def _check_provider(name: str) -> list[Finding]:
    missing = registry.PROVIDERS[name].backend().missing_settings()
    if missing:
        return [
            bad("settings", "not-set", f"{setting} is not set", f"Set {setting} in the environment.")
            for setting in missing
        ]
    account = registry.account_of(name)
    return check_account(account) if account else []


def check_account(account: Account) -> list[Finding]:
    found = account.inspect()
    if not registry.PROVIDERS[account.provider].backend().delivers:
        return found
    shut = any(finding.subject == "credentials" and finding.level is Level.BAD for finding in found)
    # Without access, further calls would fail in the same way.
    if account.names_quota and not shut:
        found += quota(account)
    if webhook := registry.webhook_of(account.provider):
        found += check_webhook(webhook)
    return found + dns.check_dns(sender_domain(), account.provider, [] if shut else _dkim_names(account))


def quota(account: Account) -> list[Finding]:
    # What the account may send, and which share of it the budget uses.
    try:
        allowed = account.quota()
    except ProviderError as error:
        return [note("quota", failure_code(error), f"unknown: {failure_text(error)}")]
    if allowed is None:
        return [good("quota", "none", f"{account.provider} reports none; EMAIL_RATE applies ({settings.EMAIL_RATE})")]
    return [judge_quota(allowed, settings.EMAIL_QUOTA_SHARE)]


def judge_quota(allowed: Quota, share: float) -> Finding:
    # `share` is the part of the account's rate that the budget uses.
    parts = []
    if allowed.per_second is not None:
        parts.append(f"{allowed.per_second:g}/s (of which Mailroom uses {allowed.per_second * share:g}/s)")
    if allowed.per_day is None:
        return good(
            "quota",
            "no-daily-limit",
            ", ".join([*parts, f"no daily limit, {allowed.sent_today:,} sent in the last 24 h"]),
        )
    text = ", ".join([*parts, f"{allowed.sent_today:,} of {allowed.per_day:,} used in the last 24 h"])
    if allowed.sent_today >= allowed.per_day:
        return bad("quota", "used-up", text, "The provider accepts no more email now. Ask it for a higher quota.")
    if allowed.sent_today >= NEARLY_USED * allowed.per_day:
        return note("quota", "nearly-used-up", text, "It may run out today. Ask the provider for a higher quota.")
    return good("quota", "left", text)


def check_webhook(webhook: Webhook) -> list[Finding]:
    # Whether the provider can reach our webhook, and the webhook accepts its requests.
    url = webhook_url(webhook.provider)
    missing = webhook.missing_settings()
    unusable = webhook.unusable_settings()
    if unusable:
        text = f"{unusable[0]} is not usable; {MEANWHILE}"
        return [bad("reports here", "unusable", text, "Copy it again (docs/how-to/set-up-webhooks.md).")]
    if missing:
        hint = f"Set {missing[0]} after you set up the webhook {url} at the provider."
        return [note("reports here", "not-set", f"{missing[0]} is not set; {MEANWHILE}", hint)]
    if urlsplit(url).scheme != "https":
        hint = "Set SITE_URL to the site's public https address."
        return [note("reports here", "not-https", f"the provider cannot use {url}", hint)]
    return [good("reports here", "set", f"reports to {url} are accepted")]


def _dkim_names(account: Account) -> list[str]:
    try:
        return account.dkim_names()
    except ProviderError:
        # `inspect` has already reported it.
        return []
