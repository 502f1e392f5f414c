"""Hands for tests of the breaker. Redis has its own clock, so the moments that it keeps are shifted instead."""

import json

from notifications.breaker import store
from notifications.breaker.circuit import CONSECUTIVE_FAILURES
from notifications.breaker.permits import Permit, acquire, report, reset
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass
from notifications.runtime.redis_client import client

MOMENTS = ("since", "opened_at", "probe_began")


def let_pass(provider, seconds):
    """Make all moments that Redis remembers of a provider's circuit older."""
    if raw := client().get(store.key(provider)):
        state = json.loads(raw)
        shifted = {name: state[name] - seconds for name in MOMENTS}
        client().set(store.key(provider), json.dumps(state | shifted))


def open_circuit(provider, error_class=ErrorClass.TRANSIENT):
    """Let a provider fail as often as it takes."""
    for _ in range(1 if error_class is ErrorClass.MISCONFIGURED else CONSECUTIVE_FAILURES):
        report(Permit(provider), ProviderError(error_class, "http-503"))


def close_circuit(provider):
    """Let a provider be as one that never failed."""
    client().delete(store.key(provider))
    reset()


def until_probe(provider):
    """Let the time pass that an open circuit waits before its next probe."""
    let_pass(provider, 120)


def probe(provider="ses"):
    """Return a permit to probe a provider whose circuit is open."""
    until_probe(provider)
    permit = acquire(provider)
    assert permit is not None
    assert permit.prober
    return permit
