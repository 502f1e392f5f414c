"""Check the set-up of the providers, without sending."""

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
MEANWHILE = "meanwhile the provider is told to ask again (503), and what it gives up on is lost"


def check(names: Iterable[str]) -> list[Finding]:
    """Return the findings about the providers called `names`, with the provider in each subject.

    Takes some seconds for each: the provider is asked, and the DNS.
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
    # Where nobody lets us in, further questions would only say so again.
    if account.names_quota and not shut:
        found += quota(account)
    if webhook := registry.webhook_of(account.provider):
        found += our_end(webhook)
    return found + dns.check_dns(sender_domain(), account.provider, [] if shut else _dkim_names(account))


def quota(account: Account) -> list[Finding]:
    # What the account may send, and which part of it the budget uses.
    try:
        allowed = account.quota()
    except ProviderError as error:
        return [note("quota", failure_code(error), f"not known: {failure_text(error)}")]
    if allowed is None:
        return [
            good("quota", "none", f"{account.provider} names none; EMAIL_RATE alone decides ({settings.EMAIL_RATE})")
        ]
    return [judge_quota(allowed, settings.EMAIL_QUOTA_SHARE)]


def judge_quota(allowed: Quota, share: float) -> Finding:
    # `share` is the part of the account's rate that the budget uses.
    parts = []
    if allowed.per_second is not None:
        parts.append(f"{allowed.per_second:g} a second (aiming at {allowed.per_second * share:g})")
    if allowed.per_day is None:
        return good(
            "quota", "no-daily-limit", ", ".join([*parts, f"no limit a day, {allowed.sent_today:,} sent in 24 hours"])
        )
    text = ", ".join([*parts, f"{allowed.sent_today:,} of {allowed.per_day:,} in 24 hours used"])
    if allowed.sent_today >= allowed.per_day:
        return bad("quota", "used-up", text, "Nothing more is taken now; ask the provider for more.")
    if allowed.sent_today >= NEARLY_USED * allowed.per_day:
        return note("quota", "nearly-used-up", text, "It may not last the day.")
    return good("quota", "left", text)


def our_end(webhook: Webhook) -> list[Finding]:
    # Whether the provider could reach our webhook, and the webhook would accept the request.
    url = webhook_url(webhook.provider)
    missing = webhook.missing_settings()
    unusable = webhook.unusable_settings()
    if unusable:
        text = f"{unusable[0]} is set to something that proves nothing; {MEANWHILE}"
        return [bad("reports here", "unusable", text, "Copy it again; docs/how-to/set-up-webhooks.md says from where.")]
    if missing:
        hint = f"Set {missing[0]} once the provider reports to {url}."
        return [note("reports here", "not-set", f"{missing[0]} is not set; {MEANWHILE}", hint)]
    if urlsplit(url).scheme != "https":
        hint = "Set SITE_URL to the site's public address."
        return [note("reports here", "not-https", f"{url} is nothing that a provider could reach, or should use", hint)]
    return [good("reports here", "set", f"reports come to {url}, and what proves them is set")]


def _dkim_names(account: Account) -> list[str]:
    try:
        return account.dkim_names()
    except ProviderError:
        # What the account does not tell of itself, `inspect` has already said.
        return []
