"""Fixtures of the providers' tests: a running simulator, certificates, signers, scripted APIs."""

from collections.abc import Iterator

import pytest
import trustme

from notifications.providers.ses import certificates
from tests.notifications.providers.base import signing
from tests.notifications.providers.base.scripted_api import ScriptedApi, scripted_api
from tests.notifications.providers.ses.amazon import amazon as running_amazon
from tests.simulated import simulator


@pytest.fixture(scope="package")
def running(tmp_path_factory):
    with simulator(tmp_path_factory.mktemp("simulator")) as server:
        yield server


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with scripted_api() as running:
        yield running


@pytest.fixture
def sender(settings):
    settings.DEFAULT_FROM_EMAIL = "Shop <Hello@mail.example.com>"
    settings.SITE_URL = "https://shop.example.com"


@pytest.fixture(autouse=True)
def _forgetful():
    certificates._kept.clear()
    yield
    certificates._kept.clear()


@pytest.fixture(scope="session")
def sns():
    return signing.Sns()


@pytest.fixture(scope="session")
def other_signer():
    return signing.Sns()


@pytest.fixture(scope="session")
def sendgrid():
    return signing.SendGrid()


@pytest.fixture
def amazon(monkeypatch, tmp_path, settings, sns):
    """Serve the signer's certificate, and confirm subscriptions to the configured topic."""
    settings.SES_WEBHOOK_TOPICS = [signing.TOPIC]
    with running_amazon(monkeypatch, tmp_path, signing.HOST) as server:
        server.answers[signing.CERTIFICATE_PATH] = (200, {}, signing.certificate(sns.key))
        server.answers[signing.SUBSCRIBE_PATH] = (200, {"Content-Type": "text/xml"}, b"<ConfirmSubscriptionResponse/>")
        yield server
