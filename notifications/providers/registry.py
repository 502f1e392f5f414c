"""The providers there are, and the ones this installation uses."""

from notifications.conf import settings
from notifications.providers.base.account import Account
from notifications.providers.base.provider import Provider
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
from notifications.providers.smtp.backend import Smtp

PROVIDERS: dict[str, type[Provider]] = {
    provider.name: provider for provider in (Ses, SendGrid, Postmark, Smtp, Simulator)
}
# Whoever reports to us, by the last part of the address it reports to.
WEBHOOKS: dict[str, type[Webhook]] = {
    webhook.provider: webhook for webhook in (SesWebhook, SendGridWebhook, PostmarkWebhook, SimulatorWebhook)
}
# Accounts with a quota, a sender and webhooks to look at; SMTP servers have none.
ACCOUNTS: dict[str, type[Account]] = {
    account.provider: account for account in (SesAccount, SendGridAccount, PostmarkAccount)
}
# Those with a suppression list of their own; the local simulator plays one too.
LIST_KEEPERS: dict[str, type[Account]] = {**ACCOUNTS, SimulatorAccount.provider: SimulatorAccount}


def in_use() -> list[Provider]:
    """Return the providers of EMAIL_PROVIDERS, the preferred one first. A system check has seen that they exist."""
    return [PROVIDERS[name]() for name in settings.EMAIL_PROVIDERS]
