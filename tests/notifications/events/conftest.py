import pytest

from notifications.providers import registry
from tests.scripted_webhook import ScriptedWebhook


@pytest.fixture(autouse=True)
def scripted_webhook(monkeypatch):
    monkeypatch.setitem(registry.WEBHOOKS, "scripted", ScriptedWebhook)
