"""The registry of providers, one entry each."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from notifications import conf
from notifications.conf import settings
from notifications.providers.base.account import Account
from notifications.providers.base.backend import Provider
from notifications.providers.base.webhook import Webhook
from notifications.providers.null.backend import NULL, Null
from notifications.providers.postmark.account import PostmarkAccount
from notifications.providers.postmark.backend import Postmark
from notifications.providers.postmark.settings import PostmarkSettings
from notifications.providers.postmark.webhook import PostmarkWebhook
from notifications.providers.recording.backend import Recording
from notifications.providers.sendgrid.account import SendGridAccount
from notifications.providers.sendgrid.backend import SendGrid
from notifications.providers.sendgrid.settings import SendGridSettings
from notifications.providers.sendgrid.webhook import SendGridWebhook
from notifications.providers.ses.settings import SesSettings
from notifications.providers.ses.webhook import SesWebhook
from notifications.providers.simulator.account import SimulatorAccount
from notifications.providers.simulator.backend import Simulator
from notifications.providers.simulator.settings import SimulatorSettings
from notifications.providers.simulator.webhook import SimulatorWebhook
from notifications.providers.smtp.account import SmtpAccount
from notifications.providers.smtp.backend import Smtp
from notifications.providers.smtp.settings import SmtpSettings


@dataclass(frozen=True)
class ProviderSpec:
    """One provider. Its key in `PROVIDERS` is the last part of its webhook's URL."""

    backend: Callable[[], Provider]
    settings: type[conf.Settings] | None = None
    webhook: Callable[[], Webhook] | None = None
    account: Callable[[], Account] | None = None


def _from(module: str, name: str) -> Callable[[], Any]:
    # Imported when first used: boto3 takes 9 MB, and no process should pay for a provider that it does not use.
    def create() -> Any:
        return getattr(import_module(f"notifications.providers.{module}"), name)()

    return create


PROVIDERS: dict[str, ProviderSpec] = {
    "ses": ProviderSpec(_from("ses.backend", "Ses"), SesSettings, SesWebhook, _from("ses.account", "SesAccount")),
    "sendgrid": ProviderSpec(SendGrid, SendGridSettings, SendGridWebhook, SendGridAccount),
    "postmark": ProviderSpec(Postmark, PostmarkSettings, PostmarkWebhook, PostmarkAccount),
    "smtp": ProviderSpec(Smtp, SmtpSettings, account=SmtpAccount),
    "simulator": ProviderSpec(Simulator, SimulatorSettings, SimulatorWebhook, SimulatorAccount),
    "recording": ProviderSpec(Recording),
    NULL: ProviderSpec(Null),
}


def setting_groups() -> list[type[conf.Settings]]:
    return [spec.settings for spec in PROVIDERS.values() if spec.settings]


conf.add_groups(setting_groups)


def in_use() -> list[Provider]:
    # The preferred one comes first. A system check verifies that they exist.
    return [PROVIDERS[name].backend() for name in settings.EMAIL_PROVIDERS]


def webhook_of(name: str) -> Webhook | None:
    spec = PROVIDERS.get(name)
    return spec.webhook() if spec and spec.webhook else None


def account_of(name: str) -> Account | None:
    spec = PROVIDERS.get(name)
    return spec.account() if spec and spec.account else None


def list_keepers() -> set[str]:
    # Providers with a suppression list.
    accounts = {name: account_of(name) for name in PROVIDERS}
    return {name for name, account in accounts.items() if account and account.keeps_list}


def reports(name: str) -> bool:
    return webhook_of(name) is not None
