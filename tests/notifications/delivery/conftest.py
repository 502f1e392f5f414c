import pytest

from tests.scripted_webhook import ScriptedWebhook


@pytest.fixture
def reporting(registered, provider):
    """Let the scripted provider report what it sent, so that messages are handed over together."""
    registered("scripted", webhook=ScriptedWebhook)
