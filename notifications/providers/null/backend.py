"""For a trial without an account at a provider: workers send nothing."""

from django.core.mail.backends.base import BaseEmailBackend

from notifications.providers.base.backend import Provider
from notifications.providers.base.failures import unknown
from notifications.providers.base.sending import About, Accepted, OutgoingEmail, ProviderError
from notifications.rules.retry import ErrorClass

NULL = "null"


class Null(Provider):
    """Refuses each email, so that none is lost: it waits for a provider that sends. No shadow copy gets here."""

    name = NULL
    title = "the null provider"
    delivers = False

    def connect(self) -> BaseEmailBackend:
        return BaseEmailBackend()

    def translate(self, error: Exception) -> ProviderError:
        return unknown(error)

    def missing_settings(self) -> list[str]:
        return []

    def send(self, mail: OutgoingEmail) -> Accepted:
        # About the message, or the open circuit would hold the copies too. This class costs no attempt.
        problem = "EMAIL_PROVIDERS names no provider that sends"
        raise ProviderError(ErrorClass.MISCONFIGURED, "null-provider", problem, about=About.MESSAGE)
