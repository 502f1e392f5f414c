"""The simulator's account. tests/devtools/simulator covers its suppression lists."""

import pytest

from devtools.stack.ports import free_port
from notifications.providers.base.account import Level
from notifications.providers.base.sending import ProviderError
from notifications.providers.simulator.account import SimulatorAccount
from notifications.rules.retry import ErrorClass
from tests.simulated import simulator


def test_running_simulator_is_good_and_has_no_quota(settings, tmp_path):
    with simulator(tmp_path) as running:
        settings.SIMULATOR_URL = running.url
        (finding,) = SimulatorAccount().inspect()
        assert (finding.subject, finding.level) == ("connection", Level.GOOD)
    assert (SimulatorAccount().quota(), SimulatorAccount().dkim_names()) == (None, [])


def test_missing_simulator_is_bad(settings):
    settings.SIMULATOR_URL = f"http://127.0.0.1:{free_port()}"
    (finding,) = SimulatorAccount().inspect()
    assert (finding.subject, finding.level.value) == ("connection", "bad")
    with pytest.raises(ProviderError) as refused:
        SimulatorAccount().unsuppress("ada@example.com")
    assert refused.value.error_class is ErrorClass.TRANSIENT


def test_lift_without_a_simulator_url_is_misconfigured(settings):
    settings.SIMULATOR_URL = ""
    with pytest.raises(ProviderError) as refused:
        SimulatorAccount().unsuppress("ada@example.com")
    assert refused.value.error_class is ErrorClass.MISCONFIGURED
