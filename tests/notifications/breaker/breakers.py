"""Helpers for tests of the breaker. The times in Redis are shifted, because its clock cannot be."""

import json

from notifications.breaker import store
from notifications.breaker.circuit import CONSECUTIVE_FAILURES
from notifications.breaker.permits import Permit, acquire, report, reset
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass
from notifications.runtime.redis_client import client

TIMES = ("since", "opened_at", "probe_began")


def let_pass(provider, seconds):
    """Make all times of a provider's circuit in Redis older."""
    if raw := client().get(store.key(provider)):
        state = json.loads(raw)
        shifted = {name: state[name] - seconds for name in TIMES}
        client().set(store.key(provider), json.dumps(state | shifted))


def open_circuit(provider, error_class=ErrorClass.TRANSIENT):
    """Report failures until the circuit opens."""
    for _ in range(1 if error_class is ErrorClass.MISCONFIGURED else CONSECUTIVE_FAILURES):
        report(Permit(provider), ProviderError(error_class, "http-503"))


def close_circuit(provider):
    """Delete the circuit of a provider."""
    client().delete(store.key(provider))
    reset()


def until_probe(provider):
    """Let the pause before the next probe pass."""
    let_pass(provider, 120)


def probe(provider="ses"):
    """Return a permit to probe a provider whose circuit is open."""
    until_probe(provider)
    permit = acquire(provider)
    assert permit is not None
    assert permit.prober
    return permit
