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


def primary() -> Provider:
    """Return the first provider of EMAIL_PROVIDERS; that it exists is a system check's business."""
    return PROVIDERS[settings.EMAIL_PROVIDERS[0]]()
