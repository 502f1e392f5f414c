"""The local simulator's webhooks: SendGrid's, with another key."""

from notifications.providers.sendgrid.webhook import SendGridWebhook
from notifications.providers.simulator.settings import settings


class SimulatorWebhook(SendGridWebhook):
    provider = "simulator"
    key_setting = "SIMULATOR_WEBHOOK_KEY"

    def key_text(self) -> str:
        return settings.SIMULATOR_WEBHOOK_KEY
