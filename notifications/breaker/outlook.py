"""Find the provider that accepts email now and is not paused, for the relay."""

from dataclasses import dataclass

from notifications import pauses
from notifications.breaker import store
from notifications.breaker.circuit import Allow, AllowProbe, admission
from notifications.conf import settings


@dataclass(frozen=True)
class Outlook:
    """`provider` is the first that accepts email. Without one a probe may be due."""

    provider: str | None
    probe_is_due: bool = False


def outlook() -> Outlook:
    """Return which provider accepts email now. Raises redis.RedisError."""
    paused = pauses.paused_providers()
    providers = [provider for provider in settings.EMAIL_PROVIDERS if provider not in paused]
    if not providers:
        return Outlook(None)
    states, moment = store.read(providers)
    admissions = [admission(state, moment) for state in states]
    for provider, allowed in zip(providers, admissions, strict=True):
        if isinstance(allowed, Allow):
            return Outlook(provider)
    return Outlook(None, probe_is_due=any(isinstance(allowed, AllowProbe) for allowed in admissions))
