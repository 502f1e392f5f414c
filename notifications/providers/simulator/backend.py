"""The local simulator, through the adapter for SendGrid."""

from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.sendgrid.backend import SendGrid
from notifications.providers.simulator.settings import settings

# The simulator accepts any key.
API_KEY = "simulator"


class Simulator(SendGrid):
    name = "simulator"
    title = "the simulator"
    usual_rate = 50
    delivers = False

    def connect(self) -> BaseEmailBackend:
        return self.backend(API_KEY, simulator_api_url())

    def missing_settings(self) -> list[str]:
        return [] if settings.SIMULATOR_URL else ["SIMULATOR_URL"]


def simulator_api_url() -> str:
    return f"{settings.SIMULATOR_URL}/simulator/v3/"
