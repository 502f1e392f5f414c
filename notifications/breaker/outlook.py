"""Where mail goes at this moment, as far as the relay has to know it."""

from dataclasses import dataclass

from django.conf import settings

from notifications.breaker import store
from notifications.breaker.circuit import Pass, Probe, passage


@dataclass(frozen=True)
class Outlook:
    """`provider` is the first that takes mail, None if there is none; then a probe may be due."""

    provider: str | None
    probe_is_due: bool = False


def now() -> Outlook:
    """Raises redis.RedisError."""
    states, moment = store.read(settings.EMAIL_PROVIDERS)
    passages = [passage(state, moment) for state in states]
    for provider, allowed in zip(settings.EMAIL_PROVIDERS, passages, strict=True):
        if isinstance(allowed, Pass):
            return Outlook(provider)
    return Outlook(None, probe_is_due=any(isinstance(allowed, Probe) for allowed in passages))
