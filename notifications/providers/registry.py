"""The providers there are, and the ones this installation uses."""

from django.conf import settings

from notifications.providers.base import Provider
from notifications.providers.feedback import Webhook
from notifications.providers.postmark import Postmark
from notifications.providers.sendgrid import SendGrid
from notifications.providers.ses import Ses
from notifications.providers.simulator import Simulator
from notifications.providers.smtp import Smtp
from notifications.providers.webhooks import PostmarkWebhook, SendGridWebhook, SesWebhook, SimulatorWebhook

PROVIDERS: dict[str, type[Provider]] = {
    provider.name: provider for provider in (Ses, SendGrid, Postmark, Smtp, Simulator)
}
# Whoever reports to us, by the last part of the address it reports to.
WEBHOOKS: dict[str, type[Webhook]] = {
    webhook.provider: webhook for webhook in (SesWebhook, SendGridWebhook, PostmarkWebhook, SimulatorWebhook)
}


def in_use() -> list[Provider]:
    """Return the providers of EMAIL_PROVIDERS, the preferred one first. A system check has seen that they exist."""
    return [PROVIDERS[name]() for name in settings.EMAIL_PROVIDERS]
