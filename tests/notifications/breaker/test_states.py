"""The states of the circuits, for operators."""

import re

import pytest

from notifications.breaker.permits import COOLDOWN_REASON, CircuitState, Permit, report, states
from notifications.providers.base.sending import ProviderError
from notifications.rules.retry import ErrorClass
from notifications.runtime.redis_client import cooldown
from tests.notifications.breaker.breakers import let_pass, open_circuit, probe, until_probe

pytestmark = pytest.mark.usefixtures("valkey")

DOWN = ProviderError(ErrorClass.TRANSIENT, "http-503")


def test_states_of_all_providers_in_use(settings):
    settings.EMAIL_PROVIDERS = ["ses", "sendgrid", "postmark", "smtp"]
    open_circuit("sendgrid")
    let_pass("sendgrid", 1)
    report(Permit("smtp"), DOWN)
    open_circuit("postmark", ErrorClass.MISCONFIGURED)
    probe("postmark")
    seen = {circuit.provider: circuit for circuit in states()}
    assert list(seen) == settings.EMAIL_PROVIDERS
    assert seen["ses"] == CircuitState(provider="ses", state="closed")
    assert seen["smtp"].state == "closed"
    assert seen["smtp"].reason.startswith("transient: http-503, 1 ")
    assert seen["sendgrid"].state == "open"
    assert re.fullmatch(r"transient: http-503, for \d s", seen["sendgrid"].reason)
    assert 0 < seen["sendgrid"].probes_in_s <= 1
    assert (seen["postmark"].state, seen["postmark"].probes_in_s) == ("probing", None)
    assert seen["postmark"].reason.startswith("misconfigured: http-503, for ")


def test_state_when_a_probe_is_due(settings):
    settings.EMAIL_PROVIDERS = ["ses"]
    open_circuit("ses")
    until_probe("ses")
    assert [(circuit.state, circuit.probes_in_s) for circuit in states()] == [("open", 0)]


def test_state_reports_an_outage_of_redis(settings):
    settings.EMAIL_PROVIDERS = ["ses"]
    cooldown.start()
    assert states() == [CircuitState(provider="ses", state="closed", reason=COOLDOWN_REASON)]
