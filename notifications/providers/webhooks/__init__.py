"""How each provider's webhooks are proven genuine, and what their events say."""

from notifications.providers.webhooks.postmark import PostmarkWebhook
from notifications.providers.webhooks.sendgrid import SendGridWebhook
from notifications.providers.webhooks.ses import SesWebhook
from notifications.providers.webhooks.simulator import SimulatorWebhook

__all__ = ["PostmarkWebhook", "SendGridWebhook", "SesWebhook", "SimulatorWebhook"]
