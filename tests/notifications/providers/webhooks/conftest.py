"""What the tests of webhooks share: signers whose keys are made once, and an Amazon on loopback."""

import pytest

from notifications.providers.webhooks import certificates
from tests.notifications.providers.webhooks import signing
from tests.notifications.providers.webhooks.amazon import amazon as running_amazon


@pytest.fixture(autouse=True)
def _forgetful():
    certificates._kept.clear()
    yield
    certificates._kept.clear()


@pytest.fixture(scope="session")
def sns():
    return signing.Sns()


@pytest.fixture(scope="session")
def stranger():
    return signing.Sns()


@pytest.fixture(scope="session")
def sendgrid():
    return signing.SendGrid()


@pytest.fixture
def amazon(monkeypatch, tmp_path, settings, sns):
    """Serves the signer's certificate, and confirms subscriptions to the topic that the settings allow."""
    settings.SES_WEBHOOK_TOPICS = [signing.TOPIC]
    with running_amazon(monkeypatch, tmp_path, signing.HOST) as server:
        server.answers[signing.CERTIFICATE_PATH] = (200, {}, signing.certificate(sns.key))
        server.answers[signing.SUBSCRIBE_PATH] = (200, {"Content-Type": "text/xml"}, b"<ConfirmSubscriptionResponse/>")
        yield server
