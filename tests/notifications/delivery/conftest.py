import pytest

from tests.scripted_webhook import ScriptedWebhook


@pytest.fixture
def reporting(registered, provider):
    """Let the scripted provider report what it sent, so that messages are handed over together."""
    registered("scripted", webhook=ScriptedWebhook)


@pytest.fixture
def batching(reporting, provider, settings):
    """Return the only provider of this test: it takes batches and reports what it sent."""
    provider.largest = 500
    settings.EMAIL_RATE = settings.EMAIL_STREAM_RATES = ""
    return provider
