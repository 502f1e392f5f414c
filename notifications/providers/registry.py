"""The providers there are, one line each, and the ones this installation uses."""

from collections.abc import Callable
from dataclasses import dataclass

from notifications.conf import settings
from notifications.providers.base.account import Account
from notifications.providers.base.backend import Provider
from notifications.providers.base.webhook import Webhook
from notifications.providers.postmark.account import PostmarkAccount
from notifications.providers.postmark.backend import Postmark
from notifications.providers.postmark.webhook import PostmarkWebhook
from notifications.providers.sendgrid.account import SendGridAccount
from notifications.providers.sendgrid.backend import SendGrid
from notifications.providers.sendgrid.webhook import SendGridWebhook
from notifications.providers.ses.account import SesAccount
from notifications.providers.ses.backend import Ses
from notifications.providers.ses.webhook import SesWebhook
from notifications.providers.simulator.account import SimulatorAccount
from notifications.providers.simulator.backend import Simulator
from notifications.providers.simulator.webhook import SimulatorWebhook
from notifications.providers.smtp.account import SmtpAccount
from notifications.providers.smtp.backend import Smtp


@dataclass(frozen=True)
class ProviderSpec:
    """One provider: how it sends, how it reports (the last part of its webhook's address is its name), its account."""

    backend: Callable[[], Provider]
    webhook: Callable[[], Webhook] | None = None
    account: Callable[[], Account] | None = None


PROVIDERS: dict[str, ProviderSpec] = {
    "ses": ProviderSpec(Ses, SesWebhook, SesAccount),
    "sendgrid": ProviderSpec(SendGrid, SendGridWebhook, SendGridAccount),
    "postmark": ProviderSpec(Postmark, PostmarkWebhook, PostmarkAccount),
    "smtp": ProviderSpec(Smtp, account=SmtpAccount),
    "simulator": ProviderSpec(Simulator, SimulatorWebhook, SimulatorAccount),
}


def in_use() -> list[Provider]:
    """Return the providers of EMAIL_PROVIDERS, the preferred one first. A system check has seen that they exist."""
    return [PROVIDERS[name].backend() for name in settings.EMAIL_PROVIDERS]


def webhook_of(name: str) -> Webhook | None:
    """Return how a provider reports, None if it does not, or if there is no such provider."""
    spec = PROVIDERS.get(name)
    return spec.webhook() if spec and spec.webhook else None


def account_of(name: str) -> Account | None:
    """Return a provider's account, None if it has none, or if there is no such provider."""
    spec = PROVIDERS.get(name)
    return spec.account() if spec and spec.account else None


def list_keepers() -> set[str]:
    """Return the names of the providers that keep a suppression list of their own."""
    accounts = {name: account_of(name) for name in PROVIDERS}
    return {name for name, account in accounts.items() if account and account.keeps_list}


def reports(name: str) -> bool:
    return webhook_of(name) is not None
