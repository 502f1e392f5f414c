"""Hands for tests of the breaker. Redis has its own clock, so the moments that it keeps are shifted instead."""

import json

from config.redis_client import client
from notifications.delivery.breaker import Entry, enter, forget, report
from notifications.providers import circuits
from notifications.providers.circuit import CONSECUTIVE_FAILURES
from notifications.providers.mail import ErrorClass, ProviderError

MOMENTS = ("since", "opened_at", "probe_began")


def let_pass(provider, seconds):
    """Make all moments that Redis remembers of a provider's circuit older."""
    if raw := client().get(circuits.key(provider)):
        state = json.loads(raw)
        shifted = {name: state[name] - seconds for name in MOMENTS}
        client().set(circuits.key(provider), json.dumps(state | shifted))


def open_circuit(provider, error_class=ErrorClass.TRANSIENT):
    """Let a provider fail as often as it takes."""
    for _ in range(1 if error_class is ErrorClass.MISCONFIGURED else CONSECUTIVE_FAILURES):
        report(Entry(provider), ProviderError(error_class, "http-503"))


def close_circuit(provider):
    """Let a provider be as one that never failed."""
    client().delete(circuits.key(provider))
    forget()


def until_probe(provider):
    """Let the time pass that an open circuit waits before its next probe."""
    let_pass(provider, 120)


def probe(provider="ses"):
    """Return leave to probe a provider whose circuit is open."""
    until_probe(provider)
    entry = enter(provider)
    assert entry is not None
    assert entry.prober
    return entry
