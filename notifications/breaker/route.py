"""Find the provider that a group goes to: the first, in the order of EMAIL_PROVIDERS, that takes mail now.

Never asked for a message that is uncertain: that one is in no queue until it is settled.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings

from notifications.breaker import permits
from notifications.providers import registry
from notifications.providers.base.mail import Accepted, ProviderError
from notifications.providers.base.provider import Provider


class Way:
    """One provider, for as long as it takes mail; or for one message, to see whether it does again."""

    def __init__(self, provider: Provider, entry: permits.Entry) -> None:
        self.provider = provider
        self.name = provider.name
        self.is_probe = bool(entry.prober)
        self.probe = entry.message
        self.is_open = True
        self._entry = entry

    def report(self, answer: Accepted | ProviderError, message: UUID) -> permits.Effect:
        """Say what the provider has answered, and return what that has done."""
        effect = permits.report(self._entry, answer, message)
        self.is_open = not effect.is_open
        return effect


def another(way: Way) -> bool:
    """True if this way has closed and another provider takes mail: what was refused here need not wait."""
    return not way.is_open and any(permits.is_closed(name) for name in settings.EMAIL_PROVIDERS if name != way.name)


@contextmanager
def find(messages: Sequence[UUID]) -> Iterator[Way | None]:
    """Give the way of the next group of `messages`, or None if no provider takes mail."""
    for provider in registry.in_use():
        if entry := permits.enter(provider.name, messages):
            try:
                yield Way(provider, entry)
            finally:
                permits.leave(entry)
            return
    yield None
