"""The simulator as a provider."""

import pytest

from notifications.providers.simulator.backend import Simulator
from tests.notifications.providers.base.http_contract import SimulatedContract


class TestSimulator(SimulatedContract):
    made = Simulator

    @pytest.fixture
    def at(self, settings):
        def point(port, *, tls=False):
            settings.SIMULATOR_URL = f"http{'s' * tls}://127.0.0.1:{port}"

        return point
