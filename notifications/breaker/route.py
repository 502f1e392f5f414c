"""Route messages to the first of EMAIL_PROVIDERS that accepts email and is not paused.

An uncertain message is never routed: it is in no queue until it is settled.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from notifications import pauses
from notifications.breaker import permits
from notifications.conf import settings
from notifications.providers import registry
from notifications.providers.base.backend import Provider
from notifications.providers.base.sending import Accepted, ProviderError


class Route:
    """One provider, for as long as it accepts email, or for one probe."""

    def __init__(self, provider: Provider, permit: permits.Permit) -> None:
        self.provider = provider
        self.name = provider.name
        self.is_probe = bool(permit.prober)
        self.probe_message = permit.message
        self._permit = permit
        self._tripped = False

    def accepts_email(self) -> bool:
        return not self._tripped and self.name not in pauses.paused_providers()

    def report(self, answer: Accepted | ProviderError, message: UUID) -> permits.Effect:
        effect = permits.report(self._permit, answer, message)
        self._tripped = effect.tripped
        return effect


def has_alternative(route: Route) -> bool:
    # This route accepts no more email and another provider does, so a refused message can move.
    others = [name for name in settings.EMAIL_PROVIDERS if name != route.name and name not in pauses.paused_providers()]
    return not route.accepts_email() and any(permits.is_closed(name) for name in others)


@contextmanager
def find_route(messages: Sequence[UUID]) -> Iterator[Route | None]:
    # For the next group of `messages`; None if no provider accepts email.
    paused = pauses.paused_providers()
    for provider in registry.in_use():
        if provider.name not in paused and (permit := permits.acquire(provider.name, messages)):
            try:
                yield Route(provider, permit)
            finally:
                permits.release(permit)
            return
    yield None
