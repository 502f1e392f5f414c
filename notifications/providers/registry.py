"""The providers there are, and the ones this installation uses."""

from django.conf import settings

from notifications.providers.base import Provider
from notifications.providers.postmark import Postmark
from notifications.providers.sendgrid import SendGrid
from notifications.providers.ses import Ses
from notifications.providers.simulator import Simulator
from notifications.providers.smtp import Smtp

PROVIDERS: dict[str, type[Provider]] = {
    provider.name: provider for provider in (Ses, SendGrid, Postmark, Smtp, Simulator)
}


def primary() -> Provider:
    """Return the first provider of EMAIL_PROVIDERS; that it exists is a system check's business."""
    return PROVIDERS[settings.EMAIL_PROVIDERS[0]]()
