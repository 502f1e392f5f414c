"""The local simulator's webhooks, which are SendGrid's with another key."""

from notifications.providers.sendgrid.webhook import SendGridWebhook


class SimulatorWebhook(SendGridWebhook):
    provider = "simulator"
    key_setting = "SIMULATOR_WEBHOOK_KEY"
