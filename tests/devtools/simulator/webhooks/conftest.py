"""A simulator and the site to which it reports, both idle before every test."""

import pytest

from tests.devtools.simulator.site import listening
from tests.devtools.simulator.webhooks.reported import AUTH, NEUTRAL, settled
from tests.simulated import simulator


@pytest.fixture(scope="module")
def site():
    with listening() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory, site):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSTMARK_WEBHOOK_AUTH", AUTH)
        with simulator(tmp_path_factory.mktemp("webhooks"), "--webhook-url", site.url) as running:
            yield running


@pytest.fixture(autouse=True)
def quiet(server, site):
    settled(server)
    server.set_controls(**NEUTRAL)
    site.answer_s = 0
    site.clear()
